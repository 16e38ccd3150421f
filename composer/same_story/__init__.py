"""Stories that tell the same news: what ran already, and what is in the inbox twice. It suggests and never merges.

`comparing` is the core: two texts, and where they are at hand the cosine of their vectors, give a verdict. `suggesting` asks it of a
publication's stories. The vectors (`embedding`, `vectors`) are an extra; without it words and figures are compared alone.
"""
