"""Signs requests with botocore, Amazon's own code, and writes them as vectors.json.

    vectors.py > vectors.json            (needs the PyPI package botocore)
"""

import datetime
import json
import sys

import botocore
import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

TIME = datetime.datetime(2026, 11, 23, 9, 48, 0)
KEY, SECRET, TOKEN = "AKIDEXAMPLE", "wJalr/XUtnFEMI+K7MDENGbPxRfiCYEXAMPLEKEY", "FwoGZXIvYXdzEBYaD+/=="


botocore.auth.get_current_datetime = lambda: TIME
key = "site/plant-7/front_A/2026-11-23/09/48-00.123Z.17.mp4"
cases = [
    ("GET", "https://cam.s3.eu-central-1.amazonaws.com/" + key, {"range": "bytes=0-1023"}, b"", "eu-central-1", None),
    ("PUT", "http://127.0.0.1:8333/cam/" + key, {"if-none-match": "*", "x-amz-checksum-crc32c": "mnG7TA==",
     "x-amz-meta-seek": "0-900,2000-500000", "content-type": "video/mp4"}, b"hello", "us-east-1", None),
    ("PUT", "https://cam.s3.us-west-2.amazonaws.com/" + key, {"x-amz-storage-class": "GLACIER_IR", "x-amz-checksum-crc32c": "mnG7TA=="}, b"hello",
     "us-west-2", TOKEN),
    ("GET", "http://garage.example:3900/cam?list-type=2&max-keys=1000&prefix=site%2Fplant-7%2F&start-after=a%20b%2Fc"
     "&continuation-token=1%2B%2F%3D", {}, b"", "garage", None),
    ("POST", "https://cam.s3.us-east-1.amazonaws.com/?delete=", {"content-md5": "1B2M2Y8AsgTpgAmY7PhCfg=="}, b"<Delete/>",
     "us-east-1", TOKEN),
    ("HEAD", "https://cam.s3.us-east-1.amazonaws.com/" + key, {"x-amz-checksum-mode": "ENABLED"}, b"", "us-east-1", None),
    ("PUT", "https://cam.s3.us-east-1.amazonaws.com/" + key, {"x-amz-meta-codecs": "a   b", "x-amz-checksum-crc32c": "mnG7TA=="}, b"x", "us-east-1", None),
]
vectors = []
for method, url, headers, body, region, token in cases:
    request = AWSRequest(method=method, url=url.partition("?")[0], headers=dict(headers), data=body)
    query = url.partition("?")[2]
    request.url = url
    # As for a body that is a file: over TLS, with a checksum in a header, it is not signed.
    request.context["has_streaming_input"] = method == "PUT"
    request.context["checksum"] = {"request_algorithm": {"in": "header", "name": "x-amz-checksum-crc32c"}}
    auth = botocore.auth.S3SigV4Auth(Credentials(KEY, SECRET, token), "s3", region)
    auth.add_auth(request)
    vectors.append({
        "method": method, "url": url, "region": region, "headers": headers, "token": token,
        "payload": request.headers["X-Amz-Content-SHA256"], "authorization": request.headers["Authorization"]})
json.dump({"keyID": KEY, "secret": SECRET, "time": TIME.isoformat() + "Z", "botocore": botocore.__version__,
           "vectors": vectors}, sys.stdout, indent=1)
print()
