#!/usr/bin/env python3
"""A test server that speaks Azure Blob Storage, and checks who asks as the service does.

  server.py [--listen HOST:PORT] --account NAME:KEY --container NAME... [--tls CERTIFICATE:KEY] [--page N] [--log FILE]
            [--identity imds|arc] [--secrets FOLDER] [--lifetime SECONDS]

Signatures are verified by Microsoft's own client, the PyPI package azure-storage-blob, which must be installed; what
the service answers follows the REST reference. Contents are in memory and end with it. Addresses are path-style, as
the emulator's. A page of a list has at most N entries. `--identity` serves tokens too, of a virtual machine or of
Azure Arc, whose secrets lie in FOLDER; with PORT 0, the default, ports are free ones. When all serve, one line
{"ready": {"blob": URL, "identity": URL}} is printed.

Commands are read from standard input, one a line, each answered by one line of JSON:

  billed             how many requests of each class were let in so far
  tokens             how many tokens were given out so far
  expire             end all tokens
  refuse STATUS...   let the next requests for tokens fail so
  quit

End of input ends it.
"""

import argparse
import base64
import json
import ssl
import sys
import threading
from pathlib import Path

from access import Access
from blobs import Blobs
from identity import Tokens, TokenServer
from service import Server, Service


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", default="127.0.0.1:0")
    parser.add_argument("--account", required=True)
    parser.add_argument("--container", action="append", required=True)
    parser.add_argument("--tls")
    parser.add_argument("--page", type=int, default=5000)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--identity", choices=("imds", "arc"))
    parser.add_argument("--secrets", type=Path)
    parser.add_argument("--lifetime", type=int, default=86_400)
    return parser.parse_args()


def context(text: str) -> ssl.SSLContext:
    certificate, _, key = text.partition(":")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    return tls


def obey(line: str, service: Service, tokens: Tokens) -> dict:
    match line.split():
        case ["billed"]:
            with service.lock:
                return dict(service.billed)
        case ["tokens"]:
            return {"given": tokens.given}
        case ["expire"]:
            tokens.expire()
            return {"ok": True}
        case ["refuse", *statuses]:
            tokens.refusals = [int(status) for status in statuses]
            return {"ok": True}
        case _:
            return {"error": f"unknown command: {line}"}


def main():
    options = parse()
    account, _, key = options.account.partition(":")
    base64.b64decode(key, validate=True)
    host, _, port = options.listen.rpartition(":")
    tokens = Tokens(options.lifetime)
    access = Access(account, key, tokens=tokens.__contains__, secure=bool(options.tls))
    log = options.log.open("a") if options.log else None
    service = Service(access, Blobs(options.container), options.page, log)
    server = Server((host, int(port)), service, context(options.tls) if options.tls else None)
    scheme = "https" if options.tls else "http"
    ready = {"blob": f"{scheme}://{host}:{server.server_port}/{account}"}
    servers = [server]
    if options.identity:
        servers.append(TokenServer((host, 0), tokens, options.identity, options.secrets))
        ready["identity"] = f"http://{host}:{servers[1].server_port}"
    for each in servers:
        threading.Thread(target=each.serve_forever, daemon=True).start()
    print(json.dumps({"ready": ready}), flush=True)
    for line in sys.stdin:
        if line.strip() == "quit":
            break
        print(json.dumps(obey(line, service, tokens)), flush=True)


if __name__ == "__main__":
    main()
