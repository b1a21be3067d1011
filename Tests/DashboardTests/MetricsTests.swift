import Dashboard
import Foundation
import Reporting
import Testing

@Suite("Metrics")
struct MetricsTests {
  @Test("Label values are escaped, whatever a host is called")
  func labels() {
    var text = PrometheusText()
    text.add("a", .gauge, "line\nbreak \\", [([("host", "q\"uo\\te\n")], 1)])
    #expect(
      text.text == "# HELP a line\\nbreak \\\\\n# TYPE a gauge\na{host=\"q\\\"uo\\\\te\\n\"} 1\n")
  }

  @Test("Numbers are written as Prometheus reads them")
  func numbers() {
    #expect(PrometheusText.number(.infinity) == "+Inf")
    #expect(PrometheusText.number(-.infinity) == "-Inf")
    #expect(PrometheusText.number(.nan) == "NaN")
    #expect(PrometheusText.number(3) == "3")
    #expect(Double(PrometheusText.number(-1234.5678901234567)) == -1234.5678901234567)
    #expect(Double(PrometheusText.number(1e300)) == 1e300)
  }

  @Test("What is not known has no sample and no header")
  func unknown() {
    var text = PrometheusText()
    text.add("a", .gauge, "help", nil)
    #expect(text.text.isEmpty)
  }

  @Test("Exactly one state is the fit's")
  func states() {
    var status = LiveStatus(
      version: "1", folder: "out", model: .init(family: "logistic", dimension: 3, components: 2), phase: "",
      iterations: 10, mayStopEarly: false, coordinator: .init(host: "h", pid: 1, started: nil))
    status.state = .warmingUp
    let lines = FitMetrics(status: status, age_s: 0, streams: 0).text.split(separator: "\n")
    #expect(lines.contains("isomix_state{state=\"warming_up\"} 1"))
    #expect(lines.filter { $0.hasPrefix("isomix_state{") && $0.hasSuffix(" 1") }.count == 1)
    // A metric's samples stand together, under one header.
    let headers = lines.filter { $0.hasPrefix("# TYPE") }
    #expect(Set(headers).count == headers.count)
  }
}

@Suite("Access token")
struct AccessTokenTests {
  @Test(
    "Only the token itself matches", arguments: ["", "secre", "secret ", "Secret", "secretsecret", "terces"])
  func others(text: String) {
    #expect(!AccessToken("secret").matches(text))
  }

  @Test("The token matches; an empty one matches nothing")
  func same() {
    #expect(AccessToken("secret").matches("secret"))
    #expect(!AccessToken("").matches(""))
  }
}

@Suite("Status hub")
struct StatusHubTests {
  @Test("A page that does not read is owed the newest status alone")
  func slow() async throws {
    let hub = StatusHub()
    let stream = try #require(hub.open(peer: "a"))
    for number in 0..<1000 { hub.publish(Array("{\"n\":\(number)}".utf8)) }
    hub.end()
    var frames: [String] = []
    for await frame in stream { frames.append(String(decoding: frame, as: UTF8.self)) }
    #expect(frames == ["event: status\ndata: {\"n\":999}\n\n"])
  }

  @Test("There are no more than so many pages, and who leaves makes room")
  func bounded() async throws {
    let hub = StatusHub()
    var streams = (0..<DashboardLimits.streams).compactMap { hub.open(peer: "\($0)") }
    #expect(streams.count == DashboardLimits.streams)
    withExtendedLifetime(streams) { #expect(hub.open(peer: "one more") == nil) }
    streams.removeAll()
    #expect(hub.streamCount == 0)
    #expect(hub.open(peer: "another") != nil)
  }

  @Test("Who comes late sees the newest status at once")
  func late() async throws {
    let hub = StatusHub()
    hub.publish(Array("{}".utf8))
    let stream = try #require(hub.open(peer: "late"))
    var reader = stream.makeAsyncIterator()
    let first = await reader.next()
    #expect(first.map { String(decoding: $0, as: UTF8.self) } == "event: status\ndata: {}\n\n")
  }
}

@Suite("Bounded series")
struct BoundedSeriesTests {
  @Test(
    "First and newest point are there, in order, and never too many", arguments: [1, 3, 16, 17, 100, 12_345])
  func bounded(count: Int) {
    var series = BoundedSeries<Int>(limit: 16)
    for point in 0..<count {
      series.append(point)
      #expect(series.points.last == point)
      #expect(series.points.count <= 17)
    }
    let points = series.points
    #expect(points.first == 0)
    #expect(points == points.sorted() && Set(points).count == points.count)
    // Thinned out, not cut off: half of the range has about half of the points.
    let half = points.filter { 2 * $0 < count }.count
    #expect(abs(2 * half - points.count) <= max(3, points.count / 2))
  }
}
