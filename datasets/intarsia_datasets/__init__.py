"""Plain data sets with a card each: frames, lists and arrays; knows neither engine nor domains.

The tables are read, by path, out of packages that are installed anyway; nothing is vendored and nothing is
downloaded unless it is asked for.

>>> from intarsia_datasets import list_datasets, load
>>> load("wine").shape
(178, 14)
>>> [card.name for card in list_datasets()][:2]
['breast_cancer', 'california_housing']
"""

from intarsia_datasets._card import Card as Card
from intarsia_datasets._catalog import card as card
from intarsia_datasets._catalog import list_datasets as list_datasets
from intarsia_datasets._catalog import load as load
from intarsia_datasets._orders import lunch_ballots as lunch_ballots
from intarsia_datasets._orders import texas_cities as texas_cities
from intarsia_datasets._packaged import MissingDatasetError as MissingDatasetError
from intarsia_datasets._plotnine import diamonds as diamonds
from intarsia_datasets._plotnine import penguins as penguins
from intarsia_datasets._plotnine import txhousing as txhousing
from intarsia_datasets._sequences import crp_sites as crp_sites
from intarsia_datasets._sequences import human_5ss as human_5ss
from intarsia_datasets._sklearn import breast_cancer as breast_cancer
from intarsia_datasets._sklearn import california_housing as california_housing
from intarsia_datasets._sklearn import wine as wine
from intarsia_datasets._statsmodels import fair as fair
from intarsia_datasets._statsmodels import randhie as randhie
