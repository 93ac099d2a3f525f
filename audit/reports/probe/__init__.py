"""The probe's page."""
