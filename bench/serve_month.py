"""Serves a folder from moto's S3 server until standard input ends: bucket `month`, keys as below the folder.

A process of its own, so that the benchmark, whose children's memory is measured, stays small. Prints the endpoint when all is there.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
import s3                       # noqa: E402


def main(folder):
    server = s3.Server()
    try:
        client = s3.client(server.endpoint)
        client.create_bucket(Bucket="month")
        s3.upload(client, "month", "", folder)
        print(server.endpoint, flush=True)
        sys.stdin.read()
    finally:
        server.stop()


if __name__ == "__main__":
    main(sys.argv[1])
