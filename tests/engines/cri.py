#!/usr/bin/python3
"""Speaks the Container Runtime Interface as a kubelet does.

cri.py METHOD JSON   calls a method of RuntimeService: the request as JSON, the response as JSON on stdout
cri.py stream URL    what Exec and Attach answer with: a WebSocket whose first byte is the channel

$CRI_SOCKET is the engine's, $CRI_PROTO what protoc --descriptor_set_out made of cri.proto. Exit code of a
call: 0, or 1 with the engine's error on stderr; of a stream: that of the program in the container.
"""
import base64
import json
import os
import socket
import struct
import sys
import urllib.parse

STDIN, STDOUT, STDERR, ERROR = range(4)


def call(method, request):
    import grpc
    from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

    files = descriptor_pb2.FileDescriptorSet()
    with open(os.environ["CRI_PROTO"], "rb") as file:
        files.ParseFromString(file.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    service = pool.FindServiceByName("runtime.v1.RuntimeService")
    types = service.FindMethodByName(method)
    channel = grpc.insecure_channel("unix://" + os.environ["CRI_SOCKET"])
    stub = channel.unary_unary(
        "/%s/%s" % (service.full_name, method),
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=factory.GetPrototype(types.output_type).FromString,
    )
    message = json_format.Parse(request, factory.GetPrototype(types.input_type)())
    try:
        response = stub(message, timeout=120)
    except grpc.RpcError as error:
        print("%s: %s" % (method, error.details()), file=sys.stderr)
        return 1
    print(json_format.MessageToJson(response, including_default_value_fields=True,
                                    preserving_proto_field_name=True))
    return 0


class WebSocket:
    """As much of RFC 6455 as is needed: binary messages of one frame each."""

    def __init__(self, url):
        at = urllib.parse.urlsplit(url)
        self.socket = socket.create_connection((at.hostname, at.port), timeout=60)
        self.socket.sendall((
            "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\nOrigin: http://%s\r\n"
            "Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n"
            % (at.path, at.netloc, base64.b64encode(os.urandom(16)).decode(), at.netloc)).encode())
        self.file = self.socket.makefile("rb")
        status = self.file.readline()
        if b" 101 " not in status:
            sys.exit("stream: %s" % status.decode().strip())
        while self.file.readline().strip():
            pass

    def send(self, channel, data):
        # The key of the mask may be 0: the data stays as it is.
        size = len(data) + 1
        self.socket.sendall(struct.pack("!BBHI", 0x82, 0x80 | 126, size, 0) + bytes([channel]) + data)

    def receive(self):
        """The next message's channel and data, or None at the end."""
        head = self.file.read(2)
        if len(head) < 2 or head[0] & 0xF == 8:
            return None
        size = head[1] & 0x7F
        if size == 126:
            size, = struct.unpack("!H", self.file.read(2))
        elif size == 127:
            size, = struct.unpack("!Q", self.file.read(8))
        data = self.file.read(size)
        return (data[0], data[1:]) if data else (STDOUT, b"")


def stream(url):
    connection = WebSocket(url)
    if not sys.stdin.isatty():
        data = sys.stdin.buffer.read()
        if data:
            connection.send(STDIN, data)
    code = 1
    while True:
        message = connection.receive()
        if message is None:
            return code
        channel, data = message
        if channel == ERROR and data:
            status = json.loads(data)
            if status.get("status") == "Success":
                code = 0
                continue
            causes = (status.get("details") or {}).get("causes") or []
            codes = [int(cause["message"]) for cause in causes if cause.get("reason") == "ExitCode"]
            if codes:
                code = codes[0]
            else:
                print(status.get("message"), file=sys.stderr)
            continue
        out = sys.stderr if channel == STDERR else sys.stdout
        out.buffer.write(data)
        out.flush()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(stream(sys.argv[2]) if sys.argv[1] == "stream" else call(sys.argv[1], sys.argv[2]))
