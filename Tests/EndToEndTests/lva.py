#!/usr/bin/env python3
"""A program for which Microsoft's client of LVA (azure-media-analytics-edge on PyPI) was made, on a box of ours.

  lva.py '{"http": URL, "token": TOKEN, "mqtt": PORT, "camera": RTSP-URL, "files": FOLDER}'

All that the client can say of graphs is sent, as it says it, by MQTT as IoT Hub does, by REST, and by IoT Hub's own REST; the
client reads every answer, and must know all that is in it. Then a camera is recorded. Ends at the first thing that is wrong;
else what was recorded is one line of JSON: {"assetName": NAME, "filePath": PATH}.
"""

import json
import queue
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
import uuid

import paho.mqtt.client as mqtt
from azure.media.analyticsedge import *
from lvagraphs import continuous, gated, inferences, instance, unsaid

given = json.loads(sys.argv[1])


def check(holds, *about):
    if not holds:
        raise AssertionError(" ".join(map(str, about)))


class Hub:
    """IoT Hub's side of a broker."""

    def __init__(self):
        self.answers, self.events, self.seen, ready = queue.Queue(), queue.Queue(), set(), queue.Queue()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "microsoft")
        self.client.on_subscribe = lambda *_: ready.put(True)
        self.client.on_message = lambda _, __, message: self.hear(message.topic, message.payload)
        self.client.connect("127.0.0.1", given["mqtt"])
        self.client.subscribe([("$iothub/methods/res/#", 1), ("devices/box/modules/cvr/messages/events/#", 1)])
        self.client.loop_start()
        ready.get(timeout=20)

    def hear(self, topic, payload):
        (self.answers if topic.startswith("$iothub/") else self.events).put((topic, payload))

    def send(self, topic, payload):
        self.client.publish(topic, json.dumps(payload), qos=1)

    def call(self, method, payload):
        request = str(uuid.uuid4())
        self.send(f"$iothub/methods/POST/{method}/?$rid={request}", payload)
        topic, answer = self.answers.get(timeout=120)
        status, rest = topic.removeprefix("$iothub/methods/res/").split("/")
        check(rest == f"?$rid={request}", topic)
        return int(status), json.loads(answer or b"null")

    def event(self, instance):
        """Kind, node, correlation and body of the next event that was not there yet."""
        while True:
            topic, payload = self.events.get(timeout=120)
            properties = dict(urllib.parse.parse_qsl(topic.rsplit("/", 1)[1], strict_parsing=True))
            key = uuid.UUID(properties["$.mid"])
            if key not in self.seen:
                self.seen.add(key)
                break
        kind = re.fullmatch(r"Microsoft\.Media\.Graph\.(.+)", properties["eventType"])[1]
        node = re.fullmatch(rf"/graphInstances/{instance}/(?:sources|processors|sinks)/(\w+)", properties["subject"])[1]
        check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", properties["eventTime"]), topic)
        check(properties["topic"].startswith("/") and properties["dataVersion"] == "1.0", topic)
        check((properties["$.ct"], properties["$.ce"]) == ("application/json", "utf-8"), topic)
        return kind, node, properties.get("correlationId"), json.loads(payload)


def http(method, path, body=None):
    request = urllib.request.Request(given["http"] + path, method=method, data=body and json.dumps(body).encode())
    request.add_header("Authorization", "Bearer " + given["token"])
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    return status, json.loads(text or b"null")


def rest(method, payload):
    kind, verb = re.fullmatch("(Graph(?:Topology|Instance))(.*)", method).groups()
    match verb:
        case "Set":
            return http("PUT", f"/api/{kind}", payload)
        case "List":
            payload["api-version"] = payload.pop("@apiVersion")
            return http("GET", f"/api/{kind}?" + urllib.parse.urlencode(payload))
        case "Get" | "Delete":
            return http(verb.upper(), f"/api/{kind}/{payload['name']}")
    return http("POST", f"/api/{kind}/{payload['name']}/{verb.lower()}")


def service(method, payload):
    body = {"methodName": method, "responseTimeoutInSeconds": 120, "connectTimeoutInSeconds": 5, "payload": payload}
    status, answer = http("POST", "/twins/box/modules/cvr/methods?api-version=2020-03-13", body)
    check(status == 200 and set(answer) == {"status", "payload"}, status, answer)
    return answer["status"], answer["payload"]


def send(way, request):
    return way(request.method_name, request.serialize())


def read(model, answer):
    """An answer as the client has it, which must have all of it."""
    for part in answer.get("value", [answer]):
        check(part.pop("@apiVersion") == "2.0", part)
    value = model.deserialize(json.loads(json.dumps(answer)))
    check(value.serialize(keep_readonly=True) == answer, "the client does not know all of", answer)
    return value


def hidden(value):
    """Without secrets."""
    if isinstance(value, list):
        return [hidden(part) for part in value]
    if not isinstance(value, dict):
        return value
    secrets = {"headerValue"} | ({"default", "value"} if value.get("name") == "secret" else set())
    return {key: hidden(part) for key, part in value.items() if key not in secrets}


def kept(sent, answer, status, state=None):
    """What was set, as it comes back."""
    check(answer[0] == status, answer)
    got = read(type(sent), answer[1])
    properties, times = got.properties.serialize(), got.system_data
    check(got.name == sent.name and properties.pop("state", None) == state, answer)
    check(properties == hidden(sent.properties.serialize()), properties, "is not", sent)
    check(times.created_at <= times.last_modified_at and times.created_at.utcoffset() is not None, times)
    return got


def refused(answer, status, code, *details):
    """An error; of its details the code and the target."""
    check(answer[0] == status and set(answer[1]) == {"error"}, answer)
    error = answer[1]["error"]
    check(error["code"] == code and error["message"] and set(error) <= {"code", "message", "details"}, error)
    check(sorted((part["code"], part.get("target")) for part in error.get("details", [])) == sorted(details), error)
    check(all(part["message"] for part in error.get("details", [])), error)


def methods(way):
    graphs = [(continuous(), []), (gated(given["files"]), []), *inferences()]
    for graph, refusals in graphs:
        user = instance("On-" + graph.name, graph.name)
        refused(send(way, MediaGraphTopologyGetRequest(name=graph.name)), 404, "NotFound")
        first = kept(graph, send(way, MediaGraphTopologySetRequest(graph=graph)), 201)
        again = kept(graph, send(way, MediaGraphTopologySetRequest(graph=first)), 200)
        check(again.system_data.created_at == first.system_data.created_at, again)
        kept(graph, send(way, MediaGraphTopologyGetRequest(name=graph.name)), 200)
        refused(send(way, MediaGraphInstanceGetRequest(name=user.name)), 404, "NotFound")
        first = kept(user, send(way, MediaGraphInstanceSetRequest(instance=user)), 201, "Inactive")
        kept(user, send(way, MediaGraphInstanceSetRequest(instance=first)), 200, "Inactive")
        kept(user, send(way, MediaGraphInstanceGetRequest(name=user.name)), 200, "Inactive")
        check(send(way, MediaGraphInstanceDeActivateRequest(name=user.name)) == (200, None), user)
        if refusals:
            details = [("ModuleValidationError", "$.Properties." + place) for place in refusals]
            refused(send(way, MediaGraphInstanceActivateRequest(name=user.name)), 400, "InvalidResource", *details)
        in_use = send(way, MediaGraphTopologyDeleteRequest(name=graph.name))
        refused(in_use, 409, "Conflict", ("GraphTopologyInUse", None))
    listed = read(MediaGraphTopologyCollection, send(way, MediaGraphTopologyListRequest())[1])
    check({part.name for part in listed.value} == {graph.name for graph, _ in graphs}, listed)
    users = read(MediaGraphInstanceCollection, send(way, MediaGraphInstanceListRequest())[1])
    check({part.properties.topology_name for part in users.value} == {part.name for part in listed.value}, users)
    check(listed.continuation_token is None and users.continuation_token is None, "a list is whole")
    for status in (200, 204):
        for part in users.value:
            check(send(way, MediaGraphInstanceDeleteRequest(name=part.name)) == (status, None), part)
        for part in listed.value:
            check(send(way, MediaGraphTopologyDeleteRequest(name=part.name)) == (status, None), part)


def mistakes(way):
    wrong = continuous()
    wrong.properties.sources[0].endpoint.url = "http://camera/"
    wrong.properties.sinks[0].asset_name_pattern = "a/b-${System.DateTime}"
    at_fault = [
        ("RtspEndpointUrlInvalidScheme", "$.Properties.Sources[0]"),
        ("PropertyValueInvalidPattern", "$.Properties.Sinks[0].AssetNamePattern"),
    ]
    refused(send(way, MediaGraphTopologySetRequest(graph=wrong)), 400, "InvalidResource", *at_fault)
    nobody = instance("Nobody", "Nothing")
    no_topology = ("ResourceValidationError", "$.Properties.TopologyName")
    refused(send(way, MediaGraphInstanceSetRequest(instance=nobody)), 409, "Conflict", no_topology)
    for request in (MediaGraphInstanceActivateRequest, MediaGraphInstanceDeActivateRequest):
        refused(send(way, request(name="Nobody")), 404, "NotFound")
    refused(way("GraphTopologyList", {"@apiVersion": "3.0"}), 400, "InvalidVersion")
    no_token = ("PropertyValueNotSupported", "$.@continuationToken")
    refused(way("GraphInstanceList", {"@apiVersion": "2.0", "@continuationToken": "x"}), 400, "BadRequest", no_token)


def begin(way, hub, graph):
    """An active instance of a graph that has a camera."""
    user = instance("Lab", graph.name, given["camera"])
    kept(graph, send(way, MediaGraphTopologySetRequest(graph=graph)), 201)
    kept(user, send(way, MediaGraphInstanceSetRequest(instance=user)), 201, "Inactive")
    for _ in range(2):
        check(send(way, MediaGraphInstanceActivateRequest(name="Lab")) == (200, None), "not active")
    kept(user, send(way, MediaGraphInstanceGetRequest(name="Lab")), 200, "Active")
    running = ("OperationNotAllowedInState", None)
    refused(send(way, MediaGraphInstanceSetRequest(instance=user)), 409, "Conflict", running)
    refused(send(way, MediaGraphInstanceDeleteRequest(name="Lab")), 409, "Conflict", running)
    refused(send(way, MediaGraphTopologySetRequest(graph=graph)), 409, "Conflict", ("GraphTopologyInUse", None))
    kind, node, _, body = hub.event("Lab")
    check((kind, node) == ("Diagnostics.MediaSessionEstablished", "rtsp") and "m=video" in body["sdp"], kind, body)


def end(way, graph):
    check(send(way, MediaGraphInstanceDeActivateRequest(name="Lab")) == (200, None), "not inactive")
    check(send(way, MediaGraphInstanceDeleteRequest(name="Lab")) == (200, None), "not deleted")
    check(send(way, MediaGraphTopologyDeleteRequest(name=graph.name)) == (200, None), "not deleted")


def recording(hub, told, sink, *kinds):
    """What these events of a sink say that it wrote, and where."""
    own = [event for event in told if event[1] == sink]
    check([event[0] for event in own] == [f"Operational.Recording{kind}" for kind in kinds], told)
    check(all(event[2:] == own[0][2:] for event in own) and set(own[0][3]) == {"outputType", "outputLocation"}, told)
    return {own[0][3]["outputType"]: own[0][3]["outputLocation"]}


def record(way, hub):
    graph = continuous()
    begin(way, hub, graph)
    told = [hub.event("Lab")]
    end(way, graph)
    told += [hub.event("Lab"), hub.event("Lab")]
    recorded = recording(hub, told, "asset", "Started", "Available", "Stopped")
    graph = gated(given["files"])
    begin(way, hub, graph)
    hub.send("devices/box/modules/cvr/inputs/trigger", {"door": "open"})
    told = [hub.event("Lab") for _ in range(4)]
    end(way, graph)
    inference = [event for event in told if event[0] == "Analytics.Inference"]
    check(len(inference) == 1 and inference[0][3].pop("timestamp") > 0 and inference[0][3] == {"door": "open"}, told)
    return recorded | recording(hub, told, "file", "Started", "Stopped", "Available")


hub = Hub()
for way in (hub.call, rest, service):
    methods(way)
    mistakes(way)
for way in (hub.call, service):
    refused(way("GraphNonsense", {"@apiVersion": "2.0"}), 501, "NotImplemented")
check(not unsaid(), "the client can say more:", unsaid())
print(json.dumps(record(hub.call, hub)))
