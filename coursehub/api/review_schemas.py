"""What the API takes and gives of reviews."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from coursehub.api.schemas import Body, Int, Text
from coursehub.reviews.queries import Read


class ReviewBody(Body):
    rating: Int = Field(description="1 to 5 stars.")
    text: Text = Field("", description="At most 5,000 characters; may be empty.")


class ReviewReply(BaseModel):
    """What the course's creator answered."""

    text: str
    replied_at: datetime


class ReviewShown(BaseModel):
    """What somebody who bought the course said of it."""

    id: UUID
    rating: int
    text: str
    author: str = Field(description="The writer's name.")
    created_at: datetime
    edited_at: datetime | None
    reply: ReviewReply | None

    @classmethod
    def of(cls, read: Read) -> "ReviewShown":
        return cls(
            id=read.id,
            rating=read.rating,
            text=read.text,
            author=read.name,
            created_at=read.created_at,
            edited_at=read.edited_at,
            reply=ReviewReply(text=read.reply, replied_at=read.replied_at) if read.replied_at else None,
        )
