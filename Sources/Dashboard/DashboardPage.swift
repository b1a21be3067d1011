import Foundation
import NumericsKit
import Report

/// The dashboard's page: one HTML text with its style and its script, which asks nobody but this server.
enum DashboardPage {
  /// The page.
  static let data = Data(html.utf8)

  /// What a browser may load for the page: what is in it, and events of the same origin.
  static let policy =
    "default-src 'none'; style-src '\(digest(style))'; script-src '\(digest(DashboardScript.source))'; "
    + "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

  private static let style = StyleSheet.css.description + "\n" + DashboardStyle.css.description

  private static func digest(_ text: String) -> String {
    "sha256-\(Data(Digest.of(Array(text.utf8)).bytes).base64EncodedString())"
  }

  private static let html = """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <link rel="icon" href="data:,">
    <title>isomix</title>
    <style>\(style)</style>
    </head>
    <body>
    <main>
    <header>
    <div class="top"><h1 id="title">A fit</h1><span class="run" id="run"></span></div>
    <p class="subtitle" id="subtitle">…</p>
    <div class="verdict open" id="banner" role="status"><span class="mark" id="mark" aria-hidden="true">…</span><div>
    <p class="word" id="word">Connecting</p><p id="sentence"></p></div></div>
    <div class="progress" id="progress" hidden>
    <svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="1"/>
    <rect class="done" id="done" width="0" height="1"/></svg>
    <p><span id="iterations"></span><span id="left"></span></p></div>
    <dl class="numbers" id="numbers"></dl>
    <div class="warnings" id="warnings" hidden><h3>Warnings</h3><ul></ul></div>
    </header>
    <section id="course" aria-labelledby="course-title"><h2 id="course-title">Course</h2>
    <div class="pair">
    <figure><h3>ELBO</h3><div class="drawing" id="elbo"></div><p class="reading" id="elbo-reading"></p>
    <figcaption>The evidence lower bound over the time of fitting, in nats, with ± one standard error of its estimate. Higher is
    better.</figcaption></figure>
    <figure><h3>Iterations a second</h3><div class="drawing" id="rate"></div><p class="reading" id="rate-reading"></p>
    <figcaption>Means over about ten seconds. It falls when workers are lost or slow, and while the ELBO is
    evaluated.</figcaption></figure>
    </div></section>
    <section id="workers" aria-labelledby="workers-title"><h2 id="workers-title">Workers</h2>
    <p class="fleet" id="fleet"></p>
    <div class="scroll flat"><table class="workers"><thead><tr><th scope="col">Worker</th><th scope="col">State</th>
    <th scope="col">Threads</th><th scope="col">Tiles</th><th scope="col">Tiles/s</th><th scope="col">Busy</th>
    <th scope="col">Speed</th><th scope="col">Last seen</th></tr></thead><tbody id="rows"></tbody></table></div>
    <p class="caption">Busy: the share of the last seconds in which it computed. Speed: of one of its threads, against the median
    of the other workers'.</p>
    <div id="lost" hidden><h3>Lost</h3><div class="scroll flat"><table class="workers"><tbody id="lost-rows"></tbody></table></div></div>
    </section>
    </main>
    <footer><span id="updated"></span><a id="json" href="status.json">status.json</a><a id="metrics" href="metrics">metrics</a>
    <span id="version"></span></footer>
    <noscript><p>This page draws what /status.json says, with a script.</p></noscript>
    <script>\(DashboardScript.source)</script>
    </body>
    </html>

    """
}
