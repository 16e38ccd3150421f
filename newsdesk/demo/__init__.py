"""The main job from zero: sample stories, an edition, five thousand readers, a send, what came back, and the sum."""

from newsdesk.demo.run import Demo, run

__all__ = ["Demo", "run"]
