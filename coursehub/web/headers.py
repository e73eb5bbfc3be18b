"""Security headers on every answer: the one CSP, and caching that never shares a person's page."""

import mimetypes
from urllib.parse import urlsplit

from flask import Flask, Response, request, session
from flask_login import current_user

from coursehub.kernel.settings import Settings

# Where Stripe's hosted pages live; a form's answer may redirect there (browsers apply form-action to the redirect).
_STRIPE = ("https://checkout.stripe.com", "https://billing.stripe.com", "https://connect.stripe.com")

# The one script that may compile WebAssembly (JPEG 2000 and colour profiles of PDFs): a worker obeys the policy of its
# own file, so that the pages' policy stays as it is.
PDF_WORKER = "/static/vendor/pdfjs/pdf.worker.min.mjs"
# The machine's own table may know neither, and a module of another type is not run.
_TYPES = {".mjs": "text/javascript", ".wasm": "application/wasm"}


def csp(settings: Settings) -> str:
    """The policy: nothing inline, nothing foreign; forms may lead to the payment page."""
    gateway = (settings.stripe_api_base,) if settings.stripe_api_base else _STRIPE
    origins = " ".join(f"{urlsplit(url).scheme}://{urlsplit(url).netloc}" for url in gateway)
    return (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
        "connect-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; "
        f"form-action 'self' {origins}; frame-ancestors 'none'"
    )


def init_app(app: Flask, settings: Settings) -> None:
    """Set the headers after every request."""
    policy = csp(settings)
    workers_policy = policy.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'")
    for extension, media_type in _TYPES.items():
        mimetypes.add_type(media_type, extension)

    @app.after_request
    def protect(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", workers_policy if request.path == PDF_WORKER else policy)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("X-Frame-Options", "DENY")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
        if settings.secure_cookies:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        if "Cache-Control" not in headers and request.endpoint != "static":
            personal = current_user.is_authenticated or bool(session) or request.method not in ("GET", "HEAD")
            headers["Cache-Control"] = "private, no-store" if personal else "public, max-age=0, must-revalidate"
            response.vary.add("Cookie")
        return response
