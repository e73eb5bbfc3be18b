"""Objects nobody refers to: found and deleted, once they are old enough not to be on their way."""

import logging
from datetime import timedelta

from coursehub.courses import queries as courses
from coursehub.infra.storage import ObjectStorage
from coursehub.kernel import clock
from coursehub.kernel.db import release
from coursehub.library import private_files

log = logging.getLogger(__name__)
# An upload's object is stored before its row: leave young ones alone.
YOUNG = timedelta(hours=1)


def sweep_storage(storage: ObjectStorage, *, older_than: timedelta = YOUNG) -> int:
    """Delete unreferenced objects older than `older_than`; returns how many."""
    before = clock.now() - older_than
    found = [one for one in storage.walk() if one.modified < before]
    # Asked after the walk, so that whatever was referenced while it ran is spared.
    referenced = {*courses.referenced_keys(), *private_files.referenced_keys()}
    release()  # deleting may take long
    orphans = [one.key for one in found if one.key not in referenced]
    for key in orphans:
        storage.delete(key)
    if orphans:
        log.info("storage.swept", extra={"count": len(orphans)})
    return len(orphans)
