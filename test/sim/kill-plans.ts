/**
 * Scenarios written by hand, each to show what goes wrong when one rule is broken; chance finds most of it too, but too
 * seldom for a test. Moments are chosen so that what must meet does meet with many seeds.
 */

const STARTS = `
    at 0 start 1
    at 0 start 2
    at 0 start 3`;
const THREE = `${STARTS}
    at 500 say 1 hello`;
const FOUR = `
    at 0 start 4${THREE}`;
const FIVE = `
    at 0 start 5${FOUR}`;
/** Two more come when the three have settled. */
const THREE_AND_TWO = `${THREE}
    at 2000 start 4
    at 2000 start 5`;

/** A secured cluster of three; the others come as the first invites them. */
const SECURED = `
    secured: yes
    at 0 start 1
    at 600 invite 1 2
    at 1800 invite 1 3`;

export const PLANS = {
  "one-invitation-for-two": `
    title: two come with one invitation
    peers: 4${SECURED}
    at 4000 kill 3
    at 4100 evict 1 3
    at 4600 wipe 3
    at 5000 invite 1 3,4
    until: 8000
    ending: stop`,

  "evicted-goes-on": `
    title: a peer is evicted while it is cut off, and comes back as if nothing had been
    peers: 4${SECURED}
    at 3000 invite 1 4
    at 5000 isolate 2
    at 5100 evict 1 2
    at 6000 heal
    at 6500 say 1 not for everybody
    at 8500 say 3 nor this
    until: 12000
    ending: stop`,

  "borrowed-certificate": `
    title: a stranger shows the certificate of a member, and speaks in a third one's name
    peers: 3${SECURED}
    at 5000 say 2 hello
    at 6000 kill 3
    at 6100 forge 2 3 1
    until: 8000
    ending: stop`,

  "too-late": `
    title: an invitation is over when it is used
    peers: 3${SECURED}
    at 5000 kill 3
    at 5100 evict 1 3
    at 5600 wipe 3
    at 6000 invite 1 3 1 1
    at 9000 expect 1 knows 2 members
    until: 9000
    ending: stop`,

  "revoked-in-time": `
    title: an invitation is revoked while who has it is cut off
    peers: 3${SECURED}
    at 5000 kill 3
    at 5100 evict 1 3
    at 5600 wipe 3
    at 5900 cut 3 1
    at 5900 cut 3 2
    at 6000 invite 1 3
    at 6500 revoke 1 3
    at 7000 heal
    until: 12000
    ending: stop`,

  "place-of-the-absent": `
    title: somebody is invited to an id that is another's, who is away
    peers: 3${SECURED}
    at 5000 wipe 3
    at 5500 invite 1 3
    until: 18000
    ending: stop`,

  "lost-answers": `
    title: the leader hears the sender, the sender does not hear the leader, and sends again
    peers: 3${THREE}
    at 1000 cut-way 3 1
    at 1100 say 1 twice
    at 1700 heal
    until: 3000
    ending: stop`,

  "narrow-line": `
    title: a peer comes back behind a narrow line, to a long message first
    peers: 3${THREE}
    at 1000 kill 1
    at 1100 say 2 ${"long ".repeat(8000)}
    at 1200 flood 2 400
    at 2000 narrow 1 64
    at 2000 start 1
    at 15000 transfer 3 2
    at 18000 expect 1 follows 2
    at 36000 expect 1 delivered 403 messages
    until: 36000
    ending: stop`,

  "client-cut-short": `
    title: a client's connection breaks when its message is in the log and the answer on its way
    peers: 3${THREE}
    at 1500 attach 201 1
    at 2000 say 201 once
    at 2006 reset 201 1
    until: 3000
    ending: stop`,

  "client-unheard": `
    title: a client's peer takes its last message in, and dies before anybody else has heard of it
    peers: 3${THREE}
    at 1500 attach 201 2
    at 2000 isolate 2
    at 2010 say 201 nobody heard
    at 2200 vanish 2
    until: 5000
    ending: heal-all`,

  "slow-application": `
    title: an application is killed while it handles a message
    peers: 3
    at 0 application 2 1500${THREE}
    at 1000 say 1 first
    at 3000 say 1 second
    at 4700 kill 2
    at 4800 start 2
    at 5000 say 1 third
    until: 9500
    ending: stop`,

  "dropped-in-handover": `
    title: a leader that tries in vain to hand over takes no messages meanwhile
    peers: 3${THREE}
    at 1000 cut-way 2 3
    at 1005 say 1 not seen by 2
    at 1020 transfer 3 2
    at 1100 say 1 dropped
    at 2223 say 1 after the gap
    at 2300 say 1 after the gap
    until: 4500
    ending: heal-all`,

  "no-inodes": `
    title: every file system is out of inodes when the leader dies
    peers: 3${THREE}
    at 2000 expect 3 leads
    at 2000 no-names 1
    at 2000 no-names 2
    at 3000 kill 3
    at 6000 expect 2 leads
    until: 6000
    ending: heal-all`,

  "full-voter": `
    title: a majority is linked, and one of it has no room for its log
    peers: 3${THREE}
    at 2000 full 2
    at 2010 say 1 fills it
    at 4000 kill 3
    at 8000 expect 1,2 waits for 2,3
    until: 8000
    ending: heal-all`,

  "sender-restarts": `
    title: somebody who spoke before restarts and speaks again
    peers: 3${THREE}
    at 1000 kill 1
    at 1100 start 1
    at 2000 say 1 as new
    until: 2500
    ending: heal-all`,

  "message-to-nobody": `
    title: a message goes to a leader that is cut off
    peers: 3${THREE}
    at 1000 isolate 3
    at 1100 say 1 to nobody
    until: 3000
    ending: heal-all`,

  "kept-outbox": `
    title: a leader that is cut off takes a message, restarts, and is reached again
    peers: 3${THREE}
    at 1000 isolate 3
    at 1100 say 3 kept
    at 1500 kill 3
    at 1600 start 3
    at 2500 heal
    at 4500 expect 1 delivered kept
    until: 4500
    ending: stop`,

  "other-way": `
    title: a peer that cannot reach the leader reaches one who can
    peers: 3${THREE}
    at 1000 cut 1 3
    at 4000 say 1 through another
    at 4900 expect 3 delivered through another
    until: 5000
    ending: stop`,

  "one-old-entry": `
    title: the old leader returns with an entry that nobody else has
    peers: 3${THREE}
    at 1000 isolate 3
    at 1100 say 3 alone
    at 3000 say 2 one
    at 4000 heal
    until: 4500
    ending: heal-all`,

  "old-leader": `
    title: the old leader returns with more entries of its own than the others have made meanwhile
    peers: 3${THREE}
    at 1000 isolate 3
    at 1100 flood 3 12
    at 3000 say 2 one
    at 3100 say 1 two
    at 3200 say 2 three
    at 4000 heal
    at 4500 say 3 four
    until: 5000
    ending: stop`,

  "long-restart": `
    title: the leader changes, people speak, and everybody restarts
    peers: 3${THREE}
    at 1000 transfer 1 2
    at 1500 say 1 again the first
    at 4000 kill 1
    at 4000 kill 2
    at 4000 kill 3
    until: 4500
    ending: heal-all`,

  "untold-commit": `
    title: a message is sent with one of two followers, which does not hear of it before the leader dies
    peers: 3${THREE}
    at 950 cut 3 2
    at 1000 say 3 on 3 and 1 only
    at 1002.6 cut-way 3 1
    at 1020 kill 3
    at 1500 say 1 after it
    until: 3500
    ending: stop`,

  "thawed-leader": `
    title: a leader thaws after one follower promised a candidate, whose messages are held back
    peers: 3${THREE}
    at 1000 slow-link 1 2 60
    at 1001 pause 3 1160
    at 2090 cut-way 2 1
    at 2090 cut-way 2 3
    at 2170 say 3 to the old leader
    at 2176 say 3 to the old leader again
    at 2190 kill 3
    at 2200 heal
    at 3500 say 1 after it
    until: 4500
    ending: stop`,

  "slow-promise": `
    title: a leader thaws while the promise of a follower is on its way to a slow disk (trap 12)
    peers: 3${THREE}
    at 1000 slow-disk 1 300
    at 1001 pause 3 1040
    at 1500 cut-way 2 3
    at 2043 say 3 to the old leader
    at 2046 cut-way 3 1
    at 2700 slow-disk 1 2
    at 2700 kill 3
    at 2800 heal
    at 3500 say 1 after it
    until: 4000
    ending: stop`,

  "thawed-leader-power-cut": `
    title: a leader thaws after a follower promised a candidate and lost its power
    peers: 3${THREE}
    at 1000 slow-disk 1 5000
    at 1000 slow-link 1 2 60
    at 1001 pause 3 1160
    at 2090 cut-way 2 1
    at 2090 cut-way 2 3
    at 2145 power-cut 1
    at 2146 slow-disk 1 2
    at 2150 start 1
    at 2180 say 3 to the old leader
    at 2182.3 cut-way 3 1
    at 2200 kill 3
    at 2210 heal
    at 3500 say 1 after it
    until: 4500
    ending: stop`,

  "thawed-leader-restart": `
    title: a leader thaws after a follower promised a candidate and restarted
    peers: 3${THREE}
    at 1000 slow-link 1 2 60
    at 1001 pause 3 1160
    at 2090 cut-way 2 1
    at 2090 cut-way 2 3
    at 2145 power-cut 1
    at 2150 start 1
    at 2180 say 3 to the old leader
    at 2182.3 cut-way 3 1
    at 2200 kill 3
    at 2210 heal
    at 3500 say 1 after it
    until: 4500
    ending: stop`,

  "unproven-tail": `
    title: a follower with a tail of a dead leader meets the new one, which needs one more voter (trap 10)
    peers: 5${FIVE}
    at 2000 isolate 5
    at 2001 heal 5 1
    at 2100 flood 5 30
    at 2300 kill 5
    at 2300 isolate 1
    at 4300 say 4 new
    at 5100 isolate 3
    at 5150 say 4 counted on a false word
    at 5200 heal 1 4
    at 5200 heal 1 2
    until: 6000
    ending: stop`,

  "far-behind": `
    title: a peer far behind speaks while the disks of the others are slow
    peers: 3${THREE}
    at 1000 kill 1
    at 1100 flood 3 250
    at 2500 kill 3
    at 2500 kill 2
    at 2600 start 2
    at 2600 start 3
    at 4000 slow-disk 2 3000
    at 4000 slow-disk 3 3000
    at 4050 slow-link 2 1 30
    at 4100 start 1
    at 4110 say 1 soon
    at 4120 say 1 sooner
    at 4130 say 1 too soon
    at 4140 say 1 too soon
    at 4150 say 1 too soon
    until: 6000
    ending: stop`,

  "slow-disks": `
    title: the disks of the leader and of one follower are slow
    peers: 3${THREE}
    at 1000 slow-disk 3 5000
    at 1000 slow-disk 2 5000
    at 1100 say 1 on one disk
    until: 2000
    ending: stop`,

  "old-ballot": `
    title: old entries reach a majority before the entry that opens the ballot does (trap 15)
    peers: 3${THREE}
    at 1000 isolate 3
    at 1050 flood 3 1100
    at 1500 slow-link 1 2 100
    at 2140 cut-way 2 1
    at 2260 kill 2
    at 2261 slow-link 1 2 0
    at 2262 slow-link 1 3 200
    at 2262 slow-link 3 1 200
    at 2265 heal 3 1
    at 3500 cut-way 3 1
    at 3900 kill 3
    at 3940 heal
    at 3940 start 2
    at 4900 say 1 after it
    until: 5000
    ending: stop`,

  "quiet-room": `
    title: a leader dies before it hears that its message is on the other disks, and nobody says more (trap 8)
    peers: 3${THREE}
    at 998 cut-way 2 1
    at 998 cut-way 3 1
    at 1000 say 1 hanging
    at 1010 kill 1
    at 1500 start 1
    until: 2500
    ending: heal-all`,

  "observer-side": `
    title: a leader is alone with an observer
    peers: 4${FOUR}
    at 1000 split 4,2 1,3
    at 1100 say 4 seen by an observer
    until: 2500
    ending: stop`,

  "broken-deference": `
    title: the highest peer left stands a candidate down, and can reach nobody else (trap 5)
    peers: 5${FIVE}
    at 1950 cut 4 1
    at 1950 cut 4 2
    at 2000 kill 5
    at 2500 say 1 through the bridge
    at 6900 expect 1 delivered through the bridge
    until: 7000
    ending: stop`,

  "leader-loses-power": `
    title: a leader loses an entry that a follower has, and is back before anybody suspects it
    peers: 3${THREE}
    at 900 slow-disk 3 5000
    at 950 isolate 2
    at 1000 say 3 one
    at 1010 power-cut 3
    at 1011 slow-disk 3 2
    at 1020 start 3
    at 2000 heal
    at 2500 say 2 bye
    at 4000 expect 1,2,3 told no histories
    until: 4000
    ending: stop`,

  "late-prepare": `
    title: a PREPARE comes long after it was sent, when there is no leader
    peers: 3${THREE}
    at 1000 slow-link 1 2 60
    at 1001 pause 3 1100
    at 2028 cut-way 2 1
    at 2028 cut-way 2 3
    at 2200 transfer 1 1
    at 2230 transfer 3 3
    at 2900 kill 3
    at 3000 heal
    at 4000 say 1 after it
    until: 4500
    ending: stop`,

  "unwanted-promise": `
    title: a candidate promised itself, reached nobody, and the leader lives (trap 16)
    peers: 3${THREE}
    at 1000 slow-link 1 2 60
    at 1001 pause 3 1100
    at 2028 cut-way 2 1
    at 2028 cut-way 2 3
    at 3000 heal
    until: 4000
    ending: heal-all`,

  "longer-or-newer": `
    title: a long log of an old ballot meets a short one of a newer
    peers: 3${THREE}
    at 1000 isolate 3
    at 1050 flood 3 20
    at 3000 say 2 short
    at 3002.6 cut-way 2 1
    at 3030 kill 2
    at 3035 heal 2 1
    at 3040 heal 3 1
    at 4500 say 1 after it
    until: 6000
    ending: stop`,

  "lost-donor": `
    title: the donor dies before its log is adopted (trap 13)
    peers: 3${THREE}
    at 950 cut 3 2
    at 1000 say 3 on 3 and 1 only
    at 1002.6 cut-way 3 1
    at 1020 kill 3
    at 1021 heal 3 1
    at 1500 slow-link 1 2 300
    at 2500 kill 1
    at 2501 slow-link 1 2 0
    at 2550 start 1
    at 3500 say 1 after it
    until: 5000
    ending: stop`,

  "newer-configuration": `
    title: who does not know of the new voters adopts the log of one who does (trap 1)
    peers: 5${THREE_AND_TWO}
    at 2100 isolate 1
    at 2300 split 2 3,4,5
    at 3500 heal 1 2
    at 4200 say 3 X
    at 4202.3 cut-way 3 4
    at 4215 heal 1 4
    at 4450 say 1 Y
    until: 5600
    ending: stop`,

  bridge: `
    title: a leader without a majority is heard by one peer, which answers the others (trap 6)
    peers: 5${FIVE}
    at 2000 cut 5 2
    at 2000 cut 5 3
    at 2000 cut 5 4
    at 2500 say 4 past the old leader
    at 6900 expect 4 delivered past the old leader
    until: 7000
    ending: stop`,

  "unsettled-change": `
    title: one of the old voters has the new configuration, but not that it is settled
    peers: 5${THREE_AND_TWO}
    at 2100 isolate 2
    at 2100 slow-link 1 3 100
    at 2100 slow-link 4 3 100
    at 2100 slow-link 5 3 100
    at 2250 split 1 3,4,5
    at 2254 heal 1 2
    at 2600 say 3 with the new
    at 5000 say 1 with the old
    until: 5500
    ending: stop`,

  "new-voters-alone": `
    title: a leader is alone with the voters-to-be
    peers: 5${THREE_AND_TWO}
    at 2100 split 1,2 3,4,5
    at 2600 say 3 with the new
    at 4500 say 2 with the old
    until: 5000
    ending: stop`,

  "change-upon-change": `
    title: both other voters die while a change is under way, and are evicted
    peers: 5${THREE_AND_TWO}
    at 2100 kill 1
    at 2100 kill 2
    at 2300 evict 3 1
    at 2300 evict 3 2
    at 2500 say 3 with the newest
    at 2590 split 1,2 3,4,5
    at 2600 start 1
    at 2600 start 2
    at 5000 say 1 with the old
    until: 5500
    ending: stop`,

  "wiped-voter": `
    title: a voter whose directory was emptied has got a part of the log when the leader dies (trap 4)
    peers: 3${THREE}
    at 950 isolate 2
    at 1000 flood 3 1100
    at 2500 wipe 1
    at 2590 slow-link 1 3 300
    at 2600 start 1
    at 3060 cut-way 3 1
    at 3310 kill 3
    at 3320 heal
    at 3320 slow-link 1 3 0
    at 5000 say 2 after it
    until: 5500
    ending: stop`,

  "evicted-returns": `
    title: a peer is evicted while it is away, and comes back
    peers: 3${THREE}
    at 1000 kill 1
    at 2500 evict 3 1
    at 3000 start 1
    at 3500 say 1 here again
    until: 4000
    ending: heal-all`,

  "many-segments": `
    title: one flood fills several segments
    peers: 3${THREE}
    at 1000 flood 3 250
    until: 2000
    ending: stop`,

  "promise-and-power-cut": `
    title: the power fails a second after a promise
    peers: 3${THREE}
    at 1000 transfer 1 2
    at 2000 power-cut 1
    at 2100 start 1
    until: 2500
    ending: heal-all`,

  "voter-restarts": `
    title: a voter restarts
    peers: 3${THREE}
    at 1000 kill 1
    at 1100 start 1
    until: 1500
    ending: heal-all`,

  "failing-disks": `
    title: all disks fail at once
    peers: 3${THREE}
    at 1300 fail-sync 1
    at 1300 fail-sync 2
    at 1300 fail-sync 3
    at 1301 say 3 on no disk
    until: 4000
    ending: stop`,

  "damaged-voter": `
    title: a voter lost what it had confirmed, and the leader dies before it has it again (trap 14)
    peers: 3${THREE}
    at 950 isolate 2
    at 1000 flood 3 20
    at 2500 shorten 1
    at 2590 slow-link 1 3 300
    at 2600 start 1
    at 2775 kill 3
    at 2785 heal
    at 5000 say 2 after it
    until: 5500
    ending: stop`,

  "put-back": `
    title: a directory is put back to an older state
    peers: 3${THREE}
    at 900 snapshot 1
    at 1000 say 3 after the copy
    at 2000 rollback 1
    at 2100 start 1
    at 2900 expect 1 told rolled-back
    until: 3000
    ending: stop`,

  "leader-restarts-alone": `
    title: a leader that is cut off restarts with an entry that nobody else has
    peers: 3${THREE}
    at 1000 isolate 3
    at 1100 say 3 alone
    at 1500 kill 3
    at 1600 start 3
    at 4500 heal
    until: 6000
    ending: stop`,

  "noted-too-far": `
    title: a leader that is cut off restarts with durable entries that are never committed
    peers: 3${THREE}
    at 1000 isolate 3
    at 1100 flood 3 5
    at 3000 kill 3
    at 3100 start 3
    at 3300 say 2 one
    at 3310 say 2 two
    at 3320 say 2 three
    at 4000 heal
    at 4500 say 1 four
    at 4600 say 1 five
    until: 5500
    ending: stop`,

  "torn-promise": `
    title: the power is cut just as a promise is written
    peers: 3${THREE}
    at 1990 crash-at 1 sync 1
    at 2000 kill 3
    at 2500 start 1
    until: 5000
    ending: heal-all`,

  "two-on-one-directory": `
    title: a peer stands still, another process takes its directory, and both are spoken to
    peers: 1
    at 0 start 1
    at 3500 say 1 hello
    at 4500 pause 1 20000
    at 5000 double 1
    at 20500 say 101 from the second
    at 25000 say 1 from the first
    until: 27500
    ending: stop`,

  "emptied-founder": `
    title: who founded the cluster is emptied, founds another one, and is spoken to at once
    peers: 3${THREE}
    at 1500 vanish 1
    at 4000 empty 1
    at 4000 start 1
    at 4010 say 1 am I heard?
    at 6500 expect 1 is down
    at 6500 wipe 1
    until: 6501
    ending: stop`,

  "all-move": `
    title: everybody is at another address, and told where the others are
    peers: 3${THREE}
    at 1000 move-all
    at 1600 say 1 where is everybody?
    until: 3000
    ending: heal-all`,

  "all-move-to-one": `
    title: everybody is at another address, and told where the observer is
    peers: 6${FIVE}
    at 2000 start 6
    at 4000 expect 1 counts observers 6
    at 4000 move-all 6
    at 4600 say 1 where is everybody?
    at 12000 expect 1,2,3,4,5,6 delivered where is everybody?
    until: 12000
    ending: stop`,

  "terms-used-up": `
    title: somebody in a member's name says that nearly all terms are used
    peers: 3${THREE}
    at 1000 kill 1
    at 1100 usurp 2 281474976710654 1
    at 1300 start 1
    at 1500 kill 3
    at 1600 say 2 is there a term left?
    at 2500 start 3
    until: 4000
    ending: heal-all`,

  "strange-leader": `
    title: a stranger says that he leads
    peers: 3${THREE}
    at 1000 usurp 2 1
    at 1020 expect 2 follows 3
    until: 1500
    ending: heal-all`,

  "only-knocking": `
    title: strangers ask to be let in, and are never heard again
    peers: 3${THREE}
    at 1000 expect 1 knows 3 members
    at 1000 knock 3 5
    at 2000 expect 1 knows 3 members
    until: 2500
    ending: heal-all`,

  "all-disks-slow": `
    title: every sync takes a second and a half, and the leader dies
    peers: 3
    at 0 slow-disk 1 1500 1500
    at 0 slow-disk 2 1500 1500
    at 0 slow-disk 3 1500 1500${STARTS}
    at 20000 kill 3
    at 20100 say 1 after it
    until: 24000
    ending: heal-slow`,

  "one-slow-disk": `
    title: the highest voter has a slow disk, and the leader dies
    peers: 3
    at 0 slow-disk 3 2000 2000${STARTS}
    at 14000 expect 2 leads
    at 15000 kill 2
    at 21000 expect 1 leads
    until: 21000
    ending: stop`,

  "far-lines": `
    title: round trips longer than the leader timeout
    peers: 3
    at 0 slow-link 1 2 700 700
    at 0 slow-link 1 3 700 700
    at 0 slow-link 2 1 700 700
    at 0 slow-link 2 3 700 700
    at 0 slow-link 3 1 700 700
    at 0 slow-link 3 2 700 700${STARTS}
    at 20000 say 1 hello
    at 30000 expect 1,2,3 delivered hello
    until: 30000
    ending: heal-slow`,

  "another-writes": `
    title: somebody else uses the number of a message that waits
    peers: 4${FOUR}
    at 2000 kill 2
    at 2000 isolate 1
    at 2100 say 1 mine
    at 2200 forge 1 2 1
    at 3500 heal
    until: 5000
    ending: heal-all`,

  "half-seen-clone": `
    title: a copy of the leader's directory is started, and one follower hears of it from nobody but that leader
    peers: 3${THREE}
    at 1500 expect 3 leads
    at 2000 cut 1 2
    at 2000 clone 3
    at 2000 cut 2 103
    at 4000 expect 3 knows no leader
    at 4000 expect 1,2 told twins
    at 4000 heal
    at 6000 expect 2 leads
    until: 6000
    ending: stop`,

  "other-history": `
    title: a message in one log says something else
    peers: 3${THREE}
    at 1500 say 1 one
    at 2500 kill 2
    at 2600 rewrite 2
    at 2700 start 2
    at 3500 say 1 two
    at 5000 expect 2 told histories
    at 5000 expect 2 has not delivered two
    at 5000 wipe 2
    until: 5000
    ending: stop`,

  "majority-put-back": `
    title: a majority is put back beside the third
    peers: 3${THREE}
    at 1500 snapshot 2
    at 1500 snapshot 3
    at 1600 say 1 after the copies
    at 3500 put-back 2,3
    at 3600 start 2
    at 3600 start 3
    at 6000 expect 1 told majority-lost
    until: 6000
    ending: stop`,

  "two-histories": `
    title: what is found in one log is told at both
    peers: 3${THREE}
    at 1500 say 1 one
    at 2500 kill 2
    at 2600 rewrite 2
    at 2700 start 2
    at 5000 expect 3 told histories
    at 5000 wipe 2
    until: 5000
    ending: stop`,
};
