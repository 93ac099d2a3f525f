"""The gate's decision as JUnit XML, SARIF and Markdown."""
