"""Objects nobody refers to go, once they are old enough; what somebody may need stays."""

from datetime import timedelta
from typing import Any

from coursehub.infra.services import services
from coursehub.library import sweeping
from tests.factories import a_course, stored_pdf


def test_orphans_go_and_what_is_sold_stays(app: Any, ada: Any) -> None:
    course = a_course(by=ada)
    assert course.current_version_id is not None
    stored_pdf(course.current_version_id)
    storage = services().storage
    storage.put("uploads/01890000-0000-7000-8000-000000000000.pdf", b"%PDF-", "application/pdf")
    kept = f"versions/{course.current_version_id}.pdf"
    assert sweeping.sweep_storage(storage) == 0  # both are young
    assert sweeping.sweep_storage(storage, older_than=timedelta(seconds=-5)) >= 1
    assert storage.stat(kept) is not None
    assert storage.stat("uploads/01890000-0000-7000-8000-000000000000.pdf") is None
