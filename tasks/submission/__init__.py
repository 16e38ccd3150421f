"""A batch goes out at most once: claim, build, fence, one POST, outcome; the worker loop, and recovery."""
