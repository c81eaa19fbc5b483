/* The client library of mosquitto, an MQTT 3.1.1 client. */
#pragma once
#include <mosquitto.h>
