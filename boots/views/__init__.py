from boots.views.driving import guest, mine, picture
from boots.views.paying import pay, sticker

__all__ = ["guest", "mine", "pay", "picture", "sticker"]
