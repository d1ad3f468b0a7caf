import Alerts
import Testing

@testable import Bus

/// What a worker does with jobs while the service is not there.
@Suite struct WorkerMachineTests {
  /// By then the service has given what waits here to others: sent from here too, it would come twice.
  @Test func whatWaitedThroughALongCutIsNotBegun() async {
    let (machine, wire) = (WorkerMachine(worker: "1"), Wire())
    // The first look without a connection is when it was lost.
    _ = machine.due(wire, now: 5_000_000)
    _ = machine.due(wire, now: 9_000_000)
    #expect(!machine.isCutOff(now: 5_000_000 + WorkerMachine.cutOff - 1))
    #expect(await isWanted(machine, now: 5_000_000 + WorkerMachine.cutOff) == false)
    // With a connection the service is asked, and until it has answered nobody knows.
    machine.connected(wire, now: 26_000_000)
    #expect(!machine.isCutOff(now: 60_000_000))
    #expect(await isWanted(machine, now: 60_000_000) == nil)
  }

  /// Nil where the service has to say.
  private func isWanted(_ machine: WorkerMachine, now: Int64) async -> Bool? {
    nonisolated(unsafe) let machine = machine
    let result = await withCheckedContinuation { (continuation: RequestTable.Continuation) in
      machine.ask("r-1", [], deadline: now + 1, now: now, continuation)
      machine.closed(BusError(.closed, "the test is over"))
    }
    guard case .success(let reply) = result else { return nil }
    return reply["wanted"]?.bool
  }
}
