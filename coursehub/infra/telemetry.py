"""Traces and logs of a process: a tracer that gives every piece of work an id, JSON lines that carry it."""

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import structlog
from opentelemetry import context, propagate, trace
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind
from structlog.typing import EventDict, Processor, WrappedLogger

from coursehub.kernel.redaction import redact

# These write whole messages, payloads included; what happened to a message is said by the runtime instead.
TOO_CHATTY = ("dramatiq.worker.WorkerThread", "dramatiq.middleware.retries", "pika", "apscheduler.executors.default")


def set_up(process: str, *, level: int = logging.INFO) -> None:
    """Give this process its tracer and its JSON log on stderr. Calling it again changes the log's process name only."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        named = Resource.create({SERVICE_NAME: "coursehub", SERVICE_VERSION: "1.0.0", "process.role": process})
        trace.set_tracer_provider(TracerProvider(resource=named))
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_trace,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _named(process),
                _without_addresses,
                structlog.processors.JSONRenderer(default=str),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in TOO_CHATTY:
        logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def continued(carrier: Mapping[str, str], name: str) -> Iterator[trace.Span]:
    """A span `name` that continues the W3C trace context in `carrier`; logs inside it bear its ids."""
    token = context.attach(propagate.extract(dict(carrier)))
    try:
        with trace.get_tracer("coursehub").start_as_current_span(name, kind=SpanKind.CONSUMER) as span:
            yield span
    finally:
        context.detach(token)


def trace_id() -> str:
    """The current trace's id in hex, "" outside any."""
    found = trace.get_current_span().get_span_context()
    return trace.format_trace_id(found.trace_id) if found.is_valid else ""


def _with_trace(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    found = trace.get_current_span().get_span_context()
    if found.is_valid:
        entry["trace_id"] = trace.format_trace_id(found.trace_id)
        entry["span_id"] = trace.format_span_id(found.span_id)
    return entry


def _without_addresses(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    return {key: redact(value) if isinstance(value, str) else value for key, value in entry.items()}


def _named(process: str) -> Processor:
    def add(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
        entry["process"] = process
        return entry

    return add


def fields(**values: Any) -> dict[str, Any]:
    """`extra=` of a log call: each becomes a field of the line."""
    return {"extra": values}
