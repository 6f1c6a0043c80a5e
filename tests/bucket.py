"""A server that speaks S3, in memory, on this machine."""

import contextlib
import os
from collections.abc import Iterator
from uuid import uuid4

KEYS = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}  # of a server that asks for none


@contextlib.contextmanager
def own_server() -> Iterator[str]:
    """Its address."""
    from moto.server import ThreadedMotoServer  # Flask and all: only where it is wanted

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield "http://{}:{}".format(*server.get_host_and_port())
    finally:
        server.stop()


def make_bucket() -> str:
    """The store's address in an empty bucket of the server that the environment names."""
    import boto3

    name = f"models-{uuid4().hex[:12]}"
    boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL_S3"]).create_bucket(Bucket=name)
    return f"s3://{name}/touchstone"
