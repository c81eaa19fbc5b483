/* What a service and systemd tell each other: sd_notify(3), sd_watchdog_enabled(3). */
#pragma once
#include <systemd/sd-daemon.h>
