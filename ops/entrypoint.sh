#!/bin/sh
# One image, one command a process: web, worker, relay, clock, migrate.
set -eu

usage() {
    echo "usage: web | worker io | worker media | relay | clock | migrate | flask ARGUMENTS…" >&2
    exit 64
}

process=${1-}
[ -n "$process" ] || usage
shift

case "$process" in
web)
    # Without the kill timeout granian ignores SIGTERM while its workers still import.
    exec python -m granian --interface wsgi --host 0.0.0.0 --port 8000 --workers "$(nproc)" \
        --blocking-threads 4 --workers-kill-timeout 3 "$@" wsgi:app
    ;;
worker)
    # Queue families apart, so that mail never waits behind a thousand thumbnails.
    family=${1-}
    [ -n "$family" ] || usage
    shift
    case "$family" in
    io)
        export COURSEHUB_PROCESS=worker-io
        exec python -m dramatiq tasks.worker --processes 1 --threads 8 "$@" --queues \
            order.lifecycle.q email.send.q facts.q maintenance.q feedback.q reco.batch.q
        ;;
    media)
        export COURSEHUB_PROCESS=worker-media
        exec python -m dramatiq tasks.worker --processes "$(nproc)" --threads 1 "$@" --queues media.q
        ;;
    *) usage ;;
    esac
    ;;
relay)
    export COURSEHUB_PROCESS=relay
    exec python -m flask --app wsgi coursehub outbox relay "$@"
    ;;
clock)
    export COURSEHUB_PROCESS=clock
    exec python -m tasks.schedule "$@"
    ;;
migrate)
    exec python -m flask --app wsgi db upgrade "$@"
    ;;
flask)
    exec python -m flask --app wsgi "$@"
    ;;
*) usage ;;
esac
