"""Stories that come in from elsewhere: a page that an editor names, feeds that are polled, and their pictures."""
