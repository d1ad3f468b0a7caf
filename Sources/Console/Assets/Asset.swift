import Crypto
import Foundation
import HTTPTypes
import Hummingbird

/// A file that is part of the program. Its address names its content, so that browsers keep it for ever.
struct Asset: Sendable {
  let path: String
  let type: String
  let text: String

  init(_ name: String, _ ending: String, _ type: String, _ text: String) {
    let digest = SHA256.hash(data: Data(text.utf8)).prefix(6).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
      .joined()
    path = "/assets/\(name)-\(digest).\(ending)"
    self.type = type
    self.text = text
  }

  static let style = Asset("style", "css", "text/css; charset=utf-8", styleSheet)
  static let script = Asset("live", "js", "text/javascript; charset=utf-8", liveScript)
  static let icon = Asset("icon", "svg", "image/svg+xml", iconDrawing)
}

enum AssetRoutes {
  static func add(to router: Router<ConsoleContext>) {
    for asset in [Asset.style, Asset.script, Asset.icon] {
      router.get(RouterPath(asset.path)) { _, _ in
        Response(
          status: .ok,
          headers: [.contentType: asset.type, .cacheControl: "public, max-age=31536000, immutable"],
          body: .init(byteBuffer: ByteBuffer(string: asset.text)))
      }
    }
    router.get("/favicon.ico") { _, _ in Response.redirect(to: Asset.icon.path, type: .found) }
  }
}

let iconDrawing = """
  <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><rect width="24" height="24" rx="5" fill="#b3261e"/><path fill="#fff" d="M12 4a1.500 1.500 0 0 0-1.500 1.500C8.200 6.200 7 8.200 7 11v3l-1.500 2.500h13L17 14v-3c0-2.800-1.200-4.800-3.500-5.500A1.500 1.500 0 0 0 12 4zm-2 14a2 2 0 0 0 4 0z"/></svg>
  """
