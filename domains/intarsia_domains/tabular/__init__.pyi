from intarsia_domains.tabular._evaluation import evaluate_tables as evaluate_tables
from intarsia_domains.tabular._read import read_table as read_table
from intarsia_domains.tabular._synthesizer import TabularSynthesizer as TabularSynthesizer
from intarsia_domains.tabular._table_error import TableError as TableError
from intarsia_domains.tabular._write import TableWriter as TableWriter
from intarsia_domains.tabular._write import write_table as write_table
from intarsia_domains.tabular.recipes import AbsorbingDigits as AbsorbingDigits
from intarsia_domains.tabular.recipes import AbstractRecipe as AbstractRecipe

__all__: list[str]
