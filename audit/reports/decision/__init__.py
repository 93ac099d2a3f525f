"""The gate's decision as JUnit XML, SARIF and Markdown, and explained in plain text."""

from audit.reports.decision.explanation import explanation
from audit.reports.decision.junit import junit_xml
from audit.reports.decision.sarif import sarif_json
from audit.reports.decision.summary import summary_markdown

__all__ = ["explanation", "junit_xml", "sarif_json", "summary_markdown"]
