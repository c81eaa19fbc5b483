"""A server that gives each request the next of the answers that it was told, as they are; it checks nothing.

The first line on standard output is its port, then one for each request: "METHOD TARGET". On standard input a line is
one answer, as JSON: {"status", "headers", "body"}; the last one is given again and again.
"""

import json
import socket
import sys
import threading

answers = []
told = threading.Condition()


def listen():
    for line in sys.stdin:
        with told:
            answers.append(json.loads(line))
            told.notify_all()


def next_answer():
    with told:
        while not answers:
            told.wait()
        return answers.pop(0) if len(answers) > 1 else answers[0]


def converse(connection):
    file = connection.makefile("rwb")
    while head := file.readline():
        method, target = head.decode().split(" ")[:2]
        length = 0
        while (line := file.readline()).strip():
            name, _, value = line.decode().partition(":")
            length = int(value) if name.lower() == "content-length" else length
        file.read(length)
        print(method, target, flush=True)
        answer = next_answer()
        body = b"" if method == "HEAD" else answer.get("body", "").encode()
        head = [f"HTTP/1.1 {answer['status']} x"]
        head += [f"{name}: {value}" for name, value in answer.get("headers", {}).items()]
        if not any(name.lower() == "content-length" for name in answer.get("headers", {})):
            head.append(f"Content-Length: {len(body)}")
        file.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        file.flush()


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
threading.Thread(target=listen, daemon=True).start()
while True:
    threading.Thread(target=converse, args=(listener.accept()[0],), daemon=True).start()
