"""The tiny shop's only migration; its command does the work, the supervisor reads the name."""

revision = "0001"
down_revision = None
