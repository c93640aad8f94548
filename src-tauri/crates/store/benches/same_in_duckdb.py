"""The usage questions asked of DuckDB, over the same events: arguments are the CSV file, the days of a month, the days of
all of the past, and the end of it in milliseconds. Prints rows as the other benchmarks do."""

import sys
import time
from datetime import datetime, timedelta, timezone

import duckdb

csv, month_from, month_to, all_from, all_to, end = sys.argv[1:]
SHANGHAI = timezone(timedelta(hours=8))
db = duckdb.connect()
db.execute(
    "CREATE TABLE events AS SELECT * FROM read_csv(?, header = false, columns = {'moment': 'BIGINT', 'action': 'VARCHAR',"
    " 'server': 'BIGINT', 'owner': 'BIGINT', 'flavor': 'VARCHAR', 'price': 'BIGINT'})",
    [csv],
)

QUESTION = """
WITH lives AS (
    SELECT server, max(owner) AS owner, max(price) AS price,
           min(CASE WHEN action = 'server.created' THEN moment END) AS began,
           coalesce(min(CASE WHEN action = 'server.deleted' THEN moment END), ?) AS ended
    FROM events WHERE action IN ('server.created', 'server.deleted') AND {filter} GROUP BY server
), months AS (SELECT unnest(?::BIGINT[]) AS low, unnest(?::BIGINT[]) AS high)
SELECT low, owner, count(*), sum(least(ended, high) - greatest(began, low)),
       sum((least(ended, high) - greatest(began, low)) * price)
FROM lives JOIN months ON began < high AND ended > low GROUP BY low, owner
"""


def day(text):
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def months(first, last):
    bounds, at = [], day(first)
    while at <= day(last):
        following = (at.replace(day=1) + timedelta(days=32)).replace(day=1)
        bounds.append((int(at.timestamp() * 1000), int(following.timestamp() * 1000)))
        at = following
    return bounds


def ask(filter, bounds):
    low, high = [low for low, _ in bounds], [high for _, high in bounds]
    return db.execute(QUESTION.format(filter=filter), [int(end), low, high]).fetchall()


def measure(name, act):
    times = []
    for _ in range(7):
        began = time.perf_counter()
        assert act(), "an answer has rows"
        times.append((time.perf_counter() - began) * 1000)
    times.sort()
    shown = [times[0], times[-1], times[3], sum(times) / 7]
    print(f"╰─ {name}  " + " │ ".join(f"{one:.3f} ms" for one in shown) + " │ 7 │ 7", flush=True)


before = (day(month_from) - timedelta(days=1)).replace(day=1).date().isoformat()
measure("open_tab_duckdb", lambda: ask("true", months(before, month_to)))
measure("two_years_of_a_flavor_duckdb", lambda: ask("flavor = 'c7.large.2'", months(all_from, all_to)))
