"""What is wrong with an edition before it is sent. Errors block approval, warnings do not; every message says what to do.

One file per topic; each gives one function from `Checked` to problems, listed in `composer.checks.all`.
"""

from composer.checks.all import check
from composer.checks.context import CheckContext, Problem
from composer.checks.external_facts import ExternalFacts, History, LinkReport, SpamReport
from composer.checks.link_reports import links_to_check

__all__ = ["CheckContext", "ExternalFacts", "History", "LinkReport", "Problem", "SpamReport", "check", "links_to_check"]
