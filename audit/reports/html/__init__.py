"""Code that all pages share: charts, tables, templates and wording."""
