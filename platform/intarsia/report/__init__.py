"""Results beside their floors, as JSON, Markdown and one self-contained HTML page."""

from intarsia.report._model import Figure as Figure
from intarsia.report._model import Metric as Metric
from intarsia.report._model import Table as Table
from intarsia.report._report import Report as Report
