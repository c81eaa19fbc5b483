"""Graphs of all that Microsoft's client of Live Video Analytics has words for."""

import itertools
import re

from azure.media.analyticsedge import *
from azure.media.analyticsedge import models
from msrest.serialization import Model

SAID = set()


def note(model):
    """Remembers which words of which classes are used."""
    for name in model._attribute_map:
        value = getattr(model, name)
        if value is not None:
            SAID.add((type(model).__name__, name))
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, Model):
                note(part)
    return model


def unsaid():
    """The client's words for graphs that were not used, but for those that only a box says."""
    kinds = [kind for kind in vars(models).values() if isinstance(kind, type) and issubclass(kind, Model)]
    kinds = [kind for kind in kinds if not re.search("Request|Collection|System", kind.__name__)]
    words = {(kind.__name__, name) for kind in kinds if "_subtype_map" not in vars(kind) for name in kind._attribute_map}
    return {word for word in words - SAID if word[1] not in ("system_data", "state")}


def reads(*names, **selector):
    selectors = [MediaGraphOutputSelector(property="mediaType", **selector)] if selector else None
    return [MediaGraphNodeInput(node_name=name, output_selectors=selectors) for name in names]


def camera(transport=None, endpoint=None):
    login = MediaGraphUsernamePasswordCredentials(username="${user}", password="${secret}")
    endpoint = endpoint or MediaGraphUnsecuredEndpoint(url="${url}", credentials=login)
    return MediaGraphRtspSource(name="rtsp", transport=transport, endpoint=endpoint)


def guarded(url):
    return MediaGraphTlsEndpoint(
        url=url, credentials=MediaGraphHttpHeaderCredentials(header_name="X-Key", header_value="canary"),
        trusted_certificates=MediaGraphPemCertificateList(certificates=["-----BEGIN CERTIFICATE-----\nMIIB\n"]),
        validation_options=MediaGraphTlsValidationOptions(ignore_hostname="${lax}", ignore_signature="false"))


def topology(name, sources, processors, sinks, **parameters):
    """Parameters are their type and default, which may be none."""
    parameters |= {"url": ("String", None), "user": ("String", "viewer"), "secret": ("SecretString", "canary")}
    declared = [
        MediaGraphParameterDeclaration(name=name, type=MediaGraphParameterType(type), description="Any", default=default)
        for name, (type, default) in parameters.items()]
    return note(MediaGraphTopology(name=name, properties=MediaGraphTopologyProperties(
        description="A graph", parameters=declared, sources=sources, processors=processors, sinks=sinks)))


def instance(name, topology, url="rtsp://127.0.0.1/none"):
    values = {"url": url, "secret": "canary"}
    values = [MediaGraphParameterDefinition(name=name, value=value) for name, value in values.items()]
    return note(MediaGraphInstance(name=name, properties=MediaGraphInstanceProperties(
        description="An instance", topology_name=topology, parameters=values)))


def continuous():
    sink = MediaGraphAssetSink(
        name="asset", inputs=reads("rtsp", operator="isNot", value="application"), segment_length="PT0M30S",
        asset_name_pattern="lva-${System.GraphTopologyName}-${System.GraphInstanceName}",
        local_media_cache_path="/var/lib/azuremediaservices/tmp/", local_media_cache_maximum_size_mi_b="${size}")
    return topology("Continuous", [camera("Tcp")], [], [sink], size=("Int", "200"))


def gated(files):
    gate = MediaGraphSignalGateProcessor(
        name="gate", inputs=reads("hub", "rtsp"), activation_evaluation_window="PT0S", activation_signal_offset="PT0S",
        minimum_activation_time="PT2S", maximum_activation_time="PT4S")
    file = MediaGraphFileSink(
        name="file", inputs=reads("gate", operator="is", value="video"), base_directory_path=files,
        file_name_pattern="clip-${System.DateTime}", maximum_size_mi_b="512")
    hub = MediaGraphIoTHubMessageSource(name="hub", hub_input_name="trigger")
    told = MediaGraphIoTHubMessageSink(name="told", inputs=reads("gate"), hub_output_name="${output}")
    return topology("Gated", [camera(), hub], [gate], [file, told], output=("String", "inference"))


def inferences():
    """Topologies with every kind of extension and image, and what of each is refused when it is activated."""
    images = [MediaGraphImageFormatJpeg(quality="90"), MediaGraphImageFormatBmp(), MediaGraphImageFormatPng()]
    images += [MediaGraphImageFormatRaw(pixel_format=format) for format in MediaGraphImageFormatRawPixelFormat]
    kinds = (MediaGraphHttpExtension, MediaGraphGrpcExtension, MediaGraphCognitiveServicesVisionExtension)
    choices = (kinds, MediaGraphImageScaleMode, MediaGraphMotionDetectionSensitivity, MediaGraphRtspTransport)
    for number, (format, *chosen) in enumerate(zip(images, *map(itertools.cycle, choices))):
        kind, mode, sensitivity, transport = chosen
        is_odd, more = number % 2 == 1, {}
        if kind is MediaGraphGrpcExtension:
            transfer = list(MediaGraphGrpcExtensionDataTransferMode)[is_odd]
            more["data_transfer"] = MediaGraphGrpcExtensionDataTransfer(mode=transfer, shared_memory_size_mi_b="256")
            more["extension_configuration"] = '{"threshold": 0.5}'
        motion = MediaGraphMotionDetectionProcessor(
            name="motion", inputs=reads("rtsp"), sensitivity=sensitivity, output_motion_region=is_odd,
            event_aggregation_window="PT1S")
        sampling = MediaGraphSamplingOptions(skip_samples_without_annotation="false", maximum_samples_per_second="${rate}")
        image = MediaGraphImage(scale=MediaGraphImageScale(mode=mode, width="416", height="416"), format=format)
        extension = kind(
            name="extension", inputs=reads("motion"), endpoint=guarded("https://${host}/score"), image=image,
            sampling_options=sampling, **more)
        told = MediaGraphIoTHubMessageSink(name="told", inputs=reads("extension"), hub_output_name="inference")
        source = camera(transport, guarded("rtsps://camera/main") if is_odd else None)
        parts = ["", ".TrustedCertificates", ".ValidationOptions", ".Credentials"] if is_odd else []
        refused = ["Processors[0]", "Processors[1]"] + ["Sources[0].Endpoint" + part for part in parts]
        values = {"host": ("String", "h"), "rate": ("Double", "0.5"), "lax": ("Bool", "true")}
        yield topology(f"Inference-{number}", [source], [motion, extension], [told], **values), refused
