# SPDX-License-Identifier: Apache-2.0
"""Runs nodes of the BitTorrent DHT at 127.0.1.2:6881, 127.0.2.2:6881 and so on, for a test of package meet.

It writes "ready" when each node knows some others.
"""

import sys
import time

import libtorrent

count = int(sys.argv[1])
sessions = []
for i in range(count):
    sessions.append(
        libtorrent.session(
            {
                "listen_interfaces": f"127.0.{i + 1}.2:6881",
                "enable_dht": True,
                "enable_lsd": False,
                "enable_upnp": False,
                "enable_natpmp": False,
                "dht_bootstrap_nodes": "",
                # All nodes have private addresses.
                "dht_restrict_routing_ips": False,
                "dht_restrict_search_ips": False,
                "dht_prefer_verified_node_ids": False,
            }
        )
    )
ready = False
while True:
    known = [s.status().dht_nodes for s in sessions]
    for i, s in enumerate(sessions):
        if known[i] < 5:
            for j in (1, 3, 5):
                s.add_dht_node((f"127.0.{(i + j) % count + 1}.2", 6881))
    if not ready and min(known) >= 5:
        ready = True
        print("ready", flush=True)
    time.sleep(0.2)
