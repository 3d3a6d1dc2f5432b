"""fuzz.py MODE: schemathesis over the description of a running system: no answer of 500, nothing undescribed. MODE brief:
one request of each path; long: all phases. Needs the venv of fuzz.sh in $VENV."""
import json
import os
import subprocess
import sys

from lab import Lab, expect

CHECKS = ("not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
          "response_headers_conformance,unsupported_method,allow_header_conformance,negative_data_rejection,missing_required_header")
HOW = {"brief": ["--phases", "fuzzing", "--max-examples", "1", "--workers", "2"],
       "long": ["--phases", "examples,coverage,fuzzing,stateful", "--max-examples", os.environ.get("FUZZ_EXAMPLES", "60"),
                "--workers", "2"]}

# 503 and 504 are described, and said where the system does not run or does not answer: others than these are faults.
CONFIG = """[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", 503, 504]
"""

lab = Lab()
with open("schemathesis.toml", "w") as file:
    file.write(CONFIG)
venv = os.environ["VENV"]
with open("openapi.json", "w") as file:
    file.write(json.dumps(lab.ask("GET", "/openapi.json")[1]))
code = subprocess.run([venv + "/bin/python", "-c",
                       "import json; from openapi_spec_validator import validate; validate(json.load(open('openapi.json')))"]).returncode
expect("valid OpenAPI 3.1", code, 0)
code = subprocess.run([venv + "/bin/st", "run", f"http://127.0.0.1:{lab.web.port}/openapi.json", "--header",
                       "Authorization: Bearer " + lab.admin, "--exclude-operation-id", "stopSystem", "--seed",
                       os.environ.get("FUZZ_SEED", "10"), "--checks", CHECKS, "--continue-on-failure",
                       "--suppress-health-check", "all", "--warnings", "off", *HOW[sys.argv[1]]]).returncode
expect("schemathesis", code, 0)
expect("enrgdaq-web lives", lab.web.process.poll(), None)
