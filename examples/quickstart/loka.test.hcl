# What the policy makes of a miner's first messages: loka rules test examples/quickstart
test "john.test mines to the wallet" {
  request "mining.subscribe" {
    params = ["cpuminer/2.5.1", "1"]
    expect { params = ["cpuminer/2.5.1"] }
  }
  request "mining.authorize" {
    params = ["john.test", "x"]
    expect { params = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.john_test", "x"] }
  }
  request "mining.submit" {
    params = ["john.test", "6a1f", "00000000", "66a0b1c2", "deadbeef"]
    expect { params = ["37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.john_test", "6a1f", "00000000", "66a0b1c2", "deadbeef"] }
  }
}
