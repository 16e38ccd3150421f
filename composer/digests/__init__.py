"""Reading a pasted digest: bytes → lines → paragraphs → stories. `composer.digest.parse` is the way in."""
