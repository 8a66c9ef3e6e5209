"""Formats of systems that nothing was chosen on, written from memory.

A blank line stands between events: lines of one paragraph must get one template, lines
of two paragraphs must not.
"""

import pytest

from model import TemplateMiner

SYSLOG = """
session opened for user cyrus by (uid=0)
session opened for user news by (uid=0)
session opened for user mailman by (uid=0)

connection from 192.0.2.81 (lns-81.adsl.example.net) at Sat Jul  9 22:53:22 2005
connection from 198.51.100.7 () at Mon Jul 11 00:03:22 2005

Out of Memory: Killed process 17093 (httpd).
Out of Memory: Killed process 20 (java).
Out of Memory: Killed process 31 (perl).

cupsd shutdown succeeded

cupsd startup succeeded
"""
# an address without a name is another text: two events there, and nothing else
SPLIT_IN_SYSLOG = 1

SUPERCOMPUTER = """
CE sym 2, at 0x0b85eee0, mask 0x05
CE sym 20, at 0x1438f9e0, mask 0x40

generating core.2275
generating core.31

r00=0x0fe8bca0 r01=0x0ff3c1e0 r02=0x1eeeeeee r03=0x00000003
r04=0x0fe8bca0 r05=0x0ff3c1e0 r06=0x1eeeeeee r07=0x00000003

iar 0245ee0c dear 00105910
iar fffffffe dear 0000000a

3 torus receiver x+ input pipe error(s) (dcr 0x02ec) detected and corrected
1 torus receiver x- input pipe error(s) (dcr 0x02ed) detected and corrected
1 torus receiver y+ input pipe error(s) (dcr 0x02ee) detected and corrected
2 torus receiver y- input pipe error(s) (dcr 0x02ef) detected and corrected
9 torus receiver z+ input pipe error(s) (dcr 0x02f0) detected and corrected
1 torus receiver z- input pipe error(s) (dcr 0x02f1) detected and corrected

ciod: failed to read message prefix on control stream (socket to 192.0.2.9:33370
ciod: failed to read message prefix on control stream (socket to 192.0.2.1:3337

instruction cache parity error corrected

data cache parity error corrected
"""

CLOUD = """
192.0.2.1 "GET /v2/54fadb412c4e/servers/detail HTTP/1.1" status: 200 len: 93 time: 0.24
192.0.2.7 "GET /v2/77fadb412c4e/servers/detail HTTP/1.1" status: 200 len: 18 time: 0.2

192.0.2.1 "POST /v2/54fadb412c4e40cd/os-events HTTP/1.1" status: 202 len: 380 time: 0.09

[instance: b9000564-fe1a-409b-b8cc-1e88b294cd1d] VM Started (Lifecycle Event)
[instance: 0673dd71-34c5-4fbb-86c4-40623fbe45b4] VM Started (Lifecycle Event)

[instance: b9000564-fe1a-409b-b8cc-1e88b294cd1d] VM Paused (Lifecycle Event)

[instance: b9000564-fe1a-409b-b8cc-1e88b294cd1d] VM Resumed (Lifecycle Event)

[instance: b9000564-fe1a-409b-b8cc-1e88b294cd1d] VM Stopped (Lifecycle Event)

[instance: b9000564-fe1a-409b-b8cc-1e88b294cd1d] VM Deleted (Lifecycle Event)

[instance: b9000564-fe1a-409b-b8cc-1e88b294cd1d] Took 19.05 seconds to build instance.
[instance: 0673dd71-34c5-4fbb-86c4-40623fbe45b4] Took 1 second to build instance.
"""

PROXY = """
proxy.uni.example:5070 close, 0 bytes sent, 0 bytes received, lifetime 00:01
192.0.2.44:80 close, 431 bytes sent, 6 bytes received, lifetime <1 sec

cdn.x.example:443 close, 1190 bytes (1.16 KB) sent, 0 bytes received, lifetime 01:02:07
img7.x.example:443 close, 2190 bytes (2.1 KB) sent, 10 bytes received, lifetime <1 sec

proxy.uni.example:5070 open through proxy proxy.uni.example:5070 HTTPS
192.0.2.44:80 open through proxy proxy.uni.example:5070 HTTPS
"""

CLUSTER = """
Block broadcast_4 stored as values in memory (estimated size 384.0 B, free 317.5 KB)
Block rdd_2_1 stored as values in memory (estimated size 8.8 MB, free 1.1 GB)

Finished task 38.0 in stage 26.0 (TID 1204). 2087 bytes result sent to driver
Finished task 0.0 in stage 0.0 (TID 0). 1 byte result sent to driver

Established session 0x14ed93111 with negotiated timeout 10000 for client /192.0.2.3:595
Established session 0x24ed with negotiated timeout 30000 for client /192.0.2.4:5

Cannot open channel to 2 at election address /192.0.2.12:3888
Cannot open channel to 3 at election address mesos-slave-5/192.0.2.12:3888

Interrupted while waiting for message on queue

Scaled down replica set shop-7d4b9c6f5d to 1
Scaled down replica set cart-59f8 to 0

Back-off restarting failed container cart in pod cart-59f8-x7k2p_default
Back-off restarting failed container pay in pod pay-7d-abc42_default
Back-off restarting failed container web in pod web-0_default
"""

CHINESE = """
用户zhang登录成功，来源地址192.0.2.1
用户li登录成功，来源地址192.0.2.77
用户wang登录成功，来源地址198.51.100.3
用户zhao登录成功，来源地址198.51.100.4
用户qian登录成功，来源地址198.51.100.5

用户zhang登录失败，来源地址192.0.2.1

订单20261122已支付，金额35.20元
订单7已支付，金额1元
"""


@pytest.mark.parametrize(
    ("text", "more"),
    [
        (SYSLOG, SPLIT_IN_SYSLOG),
        (SUPERCOMPUTER, 0),
        (CLOUD, 0),
        (PROXY, 0),
        (CLUSTER, 0),
        (CHINESE, 0),
    ],
    ids=["syslog", "supercomputer", "cloud", "proxy", "cluster", "chinese"],
)
def test_one_paragraph_is_one_template(text: str, more: int) -> None:
    events = [block.splitlines() for block in text.strip("\n").split("\n\n")]
    miner = TemplateMiner()
    miner.learn_all([line for lines in events for line in lines])
    templates = miner.freeze()
    ids = [set(templates.match_all(lines)) for lines in events]
    told = [[templates.templates[i - 1].text for i in sorted(found)] for found in ids]
    assert sum(len(found) - 1 for found in ids) == more, told
    assert len(set().union(*ids)) == len(events) + more, told
