"""The gate's decision as JUnit XML, SARIF and Markdown."""

from audit.reports.decision.junit import junit_xml
from audit.reports.decision.sarif import sarif_json
from audit.reports.decision.summary import summary_markdown

__all__ = ["junit_xml", "sarif_json", "summary_markdown"]
