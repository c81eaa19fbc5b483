#!/usr/bin/env python3
"""What Microsoft's client makes of a container: each command prints one line of JSON.

  client.py URL KEY CONTAINER get NAME              length, MD5, content type, tier and metadata, from a download
  client.py URL KEY CONTAINER list [PREFIX]         {NAME: LENGTH}
  client.py URL KEY CONTAINER put NAME FILE         as anybody else would
  client.py URL KEY CONTAINER sas PERMISSIONS [NAME] [SECONDS]   a query for the container or one blob, good for an hour
  client.py URL KEY CONTAINER check                 drives everything a client may ask; any other answer than the
                                                    service's is an error. Also for Microsoft's emulator

CVR_AZURE_CA names the PEM file of an authority to believe.
"""

import base64
import hashlib
import json
import os
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from azure.storage.blob import BlobServiceClient, generate_blob_sas, generate_container_sas


def service(url: str, key, **options) -> BlobServiceClient:
    authority = os.environ.get("CVR_AZURE_CA")
    return BlobServiceClient(url, credential=key, connection_verify=authority or True, retry_total=0, **options)


def get(container, name: str) -> dict:
    download = container.get_blob_client(name).download_blob()
    body, properties = download.readall(), download.properties
    return {
        "bytes": len(body),
        "md5": base64.b64encode(hashlib.md5(body).digest()).decode(),
        "type": properties.content_settings.content_type,
        "tier": properties.blob_tier,
        "metadata": properties.metadata,
    }


def sas(account: str, key: str, container: str, permissions: str, name: str = "", seconds: str = "3600") -> dict:
    end = datetime.now(timezone.utc) + timedelta(seconds=int(seconds))
    options = {"account_key": key, "permission": permissions, "expiry": end}
    if name:
        return {"query": generate_blob_sas(account, container, name, **options)}
    return {"query": generate_container_sas(account, container, **options)}


def main():
    url, key, name, command, *arguments = sys.argv[1:]
    client = service(url, key)
    container = client.get_container_client(name)
    match command, arguments:
        case "get", [blob]:
            answer = get(container, blob)
        case "list", [*prefix]:
            found = container.list_blobs(name_starts_with=prefix[0] if prefix else None)
            answer = {blob.name: blob.size for blob in found}
        case "put", [blob, file]:
            container.upload_blob(blob, Path(file).read_bytes())
            answer = {"ok": True}
        case "sas", [permissions, *rest]:
            answer = sas(client.account_name, key, name, permissions, *rest)
        case "check", []:
            import check

            answer = {"checked": check.run(url, key, name)}
        case _:
            sys.exit(__doc__)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
