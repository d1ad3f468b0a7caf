package import Lifecycle
import Synchronization

/// How other threads speak to the service: they leave a word, and wake it.
package final class ServiceControl: Sendable {
  package enum Message: Sendable {
    case stop
    case adopt(LifecycleSettings)
    case audit(AuditSettings)
  }
  private let messages = Mutex<[Message]>([])
  private let wake: @Sendable () -> Void

  package init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

  package func stop() { post(.stop) }
  package func adopt(_ settings: LifecycleSettings) { post(.adopt(settings)) }
  package func adopt(_ settings: AuditSettings) { post(.audit(settings)) }

  func post(_ message: Message) {
    messages.withLock { $0.append(message) }
    wake()
  }
  func drain() -> [Message] {
    messages.withLock { messages in
      defer { messages.removeAll() }
      return messages
    }
  }
}
