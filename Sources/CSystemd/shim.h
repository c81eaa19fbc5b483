/* What a service and systemd tell each other: sd_notify(3), sd_watchdog_enabled(3); and what it asks on the bus. */
#pragma once
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
