"""What prometheus-client reads in a metrics page: a JSON object of families, from standard input.

Fails where the page breaks the format, or Prometheus's rules of naming.
"""

import json
import sys

from prometheus_client.parser import text_string_to_metric_families

text = open(sys.argv[1], encoding="utf-8").read()
families = {}
for family in text_string_to_metric_families(text):
    assert family.name not in families, family.name
    assert family.documentation, family.name
    assert family.type in ("counter", "gauge"), (family.name, family.type)
    for sample in family.samples:
        # The parser takes `_total` from a counter's family.
        assert (family.type == "counter") == sample.name.endswith("_total"), sample.name
    families[family.name] = {
        "type": family.type,
        "samples": [{"labels": s.labels, "value": s.value} for s in family.samples],
    }
print(json.dumps(families))
