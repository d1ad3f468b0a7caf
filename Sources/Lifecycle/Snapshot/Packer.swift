import Alerts

/// What can stand in a snapshot of the engine.
///
/// A stored property that is added must be packed and named in ``carried``: a test compares the names with those that the type has, and
/// a snapshot of other names is of another form, and is thrown away.
protocol Packed {
  /// The names of the stored properties that stand in the snapshot, in their order.
  static var carried: [String] { get }
  func pack(to p: inout Packer)
  /// Nonsense where ``Unpacker/isBroken`` says so.
  init(from u: inout Unpacker)
}

/// Writes a state into few bytes: whole numbers take as many as they need, what many alerts have in common is written once.
///
/// Numbers are LEB128 with the sign in the lowest bit, as Protocol Buffers' `sint64`.
struct Packer {
  private(set) var bytes: [UInt8] = []
  private var routes: [ObjectIdentifier: Int] = [:]
  private var places: [AlertState.Place: Int] = [:]
  private var placeLists: [[AlertState.Place]: Int] = [:]

  init(reserving capacity: Int) { bytes.reserveCapacity(capacity) }

  mutating func int(_ value: Int64) {
    var rest = UInt64(bitPattern: value << 1 ^ value >> 63)
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }
  mutating func int(_ value: Int) { int(Int64(value)) }
  mutating func byte(_ value: UInt8) { bytes.append(value) }
  mutating func number(_ value: Double) { int(Int64(bitPattern: value.bitPattern)) }
  mutating func bool(_ value: Bool) { bytes.append(value ? 1 : 0) }
  mutating func time(_ value: Timestamp) { int(value.microseconds) }
  mutating func text(_ value: String) {
    int(value.utf8.count)
    bytes.append(contentsOf: value.utf8)
  }
  mutating func hash(_ value: StableHash) {
    withUnsafeBytes(of: value.high.littleEndian) { bytes.append(contentsOf: $0) }
    withUnsafeBytes(of: value.low.littleEndian) { bytes.append(contentsOf: $0) }
  }
  mutating func bytes(_ value: [UInt8]) {
    int(value.count)
    bytes.append(contentsOf: value)
  }
  mutating func json(_ value: JSON) { bytes(value.bytes) }
  mutating func subject(_ value: Subject) {
    byte(value.kind.rawValue)
    int(value.number)
  }
  mutating func alert(_ value: AlertID) { int(value.number) }

  mutating func optional<T>(_ value: T?, _ write: (inout Packer, T) -> Void) {
    bool(value != nil)
    if let value { write(&self, value) }
  }
  mutating func list<T>(_ items: some Collection<T>, _ write: (inout Packer, T) -> Void) {
    int(items.count)
    for item in items { write(&self, item) }
  }

  // MARK: - What many have in common

  mutating func route(_ route: FrozenRoute) {
    let known = routes[ObjectIdentifier(route)]
    int(known ?? routes.count)
    guard known == nil else { return }
    routes[ObjectIdentifier(route)] = routes.count
    json(route.route.json)
  }
  mutating func place(_ place: AlertState.Place) {
    let known = places[place]
    int(known ?? places.count)
    guard known == nil else { return }
    places[place] = places.count
    place.pack(to: &self)
  }
  mutating func places(_ list: [AlertState.Place]) {
    if list.isEmpty { return int(0) }
    let known = placeLists[list]
    int((known ?? placeLists.count) + 1)
    guard known == nil else { return }
    placeLists[list] = placeLists.count
    self.list(list) { $0.place($1) }
  }
}

/// Reads what a ``Packer`` wrote. Never beyond the bytes: where they make no sense it says so in the end, and gives zeros on the way there.
struct Unpacker {
  private let b: UnsafeRawBufferPointer
  private var i = 0
  private(set) var isBroken = false
  private var routes: [FrozenRoute] = []
  private var places: [AlertState.Place] = []
  private var placeLists: [[AlertState.Place]] = []

  init(_ bytes: UnsafeRawBufferPointer) { b = bytes }

  var isAtEnd: Bool { i == b.count }
  mutating func fail() { isBroken = true }

  private mutating func take(_ count: Int) -> UnsafeRawBufferPointer {
    guard !isBroken, count >= 0, count <= b.count - i else {
      isBroken = true
      return UnsafeRawBufferPointer(start: nil, count: 0)
    }
    defer { i += count }
    return UnsafeRawBufferPointer(rebasing: b[i..<i + count])
  }

  mutating func int64() -> Int64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while i < b.count, shift < 64 {
      let byte = b[i]
      i += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
      shift += 7
    }
    isBroken = true
    return 0
  }
  mutating func int() -> Int { Int(int64()) }
  mutating func byte() -> UInt8 { take(1).first ?? 0 }
  mutating func number() -> Double { Double(bitPattern: UInt64(bitPattern: int64())) }
  mutating func bool() -> Bool { byte() != 0 }
  mutating func time() -> Timestamp { Timestamp(microseconds: int64()) }
  mutating func text() -> String { String(decoding: take(int()), as: UTF8.self) }
  mutating func hash() -> StableHash {
    let bytes = take(16)
    guard bytes.count == 16 else { return StableHash(high: 0, low: 0) }
    return StableHash(
      high: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
      low: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
  }
  mutating func bytes() -> [UInt8] { Array(take(int())) }
  mutating func json() -> JSON {
    guard let json = try? JSON(parsing: bytes()) else {
      isBroken = true
      return .null
    }
    return json
  }
  mutating func subject() -> Subject {
    let kind = Subject.Kind(rawValue: byte())
    if kind == nil { isBroken = true }
    return Subject(kind ?? .alert, int64())
  }
  mutating func alert() -> AlertID { AlertID(int64()) }

  /// Of what follows, each takes a byte at least.
  mutating func count() -> Int {
    let count = int()
    guard !isBroken, count >= 0, count <= b.count - i else {
      isBroken = true
      return 0
    }
    return count
  }

  mutating func optional<T>(_ read: (inout Unpacker) -> T) -> T? { bool() ? read(&self) : nil }
  mutating func list<T>(_ read: (inout Unpacker) -> T) -> [T] {
    let count = count()
    var items: [T] = []
    items.reserveCapacity(count)
    for _ in 0..<count where !isBroken { items.append(read(&self)) }
    return items
  }

  // MARK: - What many have in common

  mutating func route() -> FrozenRoute {
    let index = int()
    if routes.indices.contains(index) { return routes[index] }
    if index != routes.count { isBroken = true }
    let route = FrozenRoute(RouteTaken(json: json()))
    routes.append(route)
    return route
  }
  mutating func place() -> AlertState.Place {
    let index = int()
    if places.indices.contains(index) { return places[index] }
    if index != places.count { isBroken = true }
    let place = AlertState.Place(from: &self)
    places.append(place)
    return place
  }
  mutating func placeList() -> [AlertState.Place] {
    let index = int() - 1
    if index < 0 { return [] }
    if placeLists.indices.contains(index) { return placeLists[index] }
    if index != placeLists.count { isBroken = true }
    let list = list { $0.place() }
    placeLists.append(list)
    return list
  }
}
