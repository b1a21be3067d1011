/// The style of a report: system fonts, colours as variables for light, dark and paper, figures that fit a phone.
///
/// Colours are M. Okabe and K. Ito's, which people with few colours can tell apart, lightened for dark ground.
package enum StyleSheet {
  /// Without characters that mean something in markup, because HTML takes a style literally.
  package static let css: StaticString = """
    :root {
      --ground: #fdfdfb; --raised: #f5f4f0; --ink: #1d1d1b; --soft: #5d5d58; --faint: #8d8d86; --rule: #dddcd5;
      --grid: #e9e8e2; --accent: #0072b2; --band: #0072b226; --good: #00734f; --poor: #b23c00; --open: #6b5a00;
      --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #b5578f; --c4: #c08000; --c5: #3b97d3; --c6: #7a4a2a;
      --c7: #6c6c6c; --cx: #8d8d86;
      --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif;
      --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace;
    }
    @media screen and (prefers-color-scheme: dark) {
      :root {
        --ground: #161719; --raised: #1f2124; --ink: #e9e8e3; --soft: #a9a9a2; --faint: #7e7e78; --rule: #36383b;
        --grid: #26282b; --accent: #5bb4e9; --band: #5bb4e933; --good: #4cc79a; --poor: #ff8a50; --open: #d8c04a;
        --c0: #5bb4e9; --c1: #f0843e; --c2: #35c295; --c3: #e08fc0; --c4: #e8ab3b; --c5: #8fcdf5; --c6: #c0906a;
        --c7: #a6a6a6; --cx: #7e7e78;
      }
    }
    * { box-sizing: border-box; }
    html { -webkit-text-size-adjust: 100%; }
    body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 var(--sans);
      font-variant-numeric: tabular-nums; overflow-wrap: break-word; }
    main, footer { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; }
    main { padding-top: 2.5rem; }
    h1 { font-size: 1.9rem; line-height: 1.2; font-weight: 600; letter-spacing: -0.01em; margin: 0; }
    h2 { font-size: 1.3rem; line-height: 1.3; font-weight: 600; margin: 0 0 1rem; }
    h3 { font-size: 1rem; font-weight: 600; margin: 0 0 .4rem; }
    h4 { font-size: .9rem; font-weight: 600; margin: 0; white-space: nowrap; overflow: hidden;
      text-overflow: ellipsis; }
    p { margin: 0 0 .6rem; }
    a { color: var(--accent); }
    section { border-top: 1px solid var(--rule); margin-top: 2.6rem; padding-top: 1.6rem; }
    .subtitle { color: var(--soft); margin: .35rem 0 1.5rem; }
    .prose { max-width: 44rem; }
    .quiet { color: var(--soft); margin: 0; }
    .absent { color: var(--soft); border-left: 3px solid var(--rule); padding-left: .8rem; max-width: 44rem; }
    nav { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin-top: 1.8rem; font-size: .9rem; }
    nav a { text-decoration: none; }
    nav a:hover { text-decoration: underline; }
    .verdict { display: flex; gap: 1rem; border-left: 4px solid; padding: .2rem 0 .2rem 1rem; max-width: 48rem; }
    .verdict p { margin: 0 0 .3rem; }
    .verdict .mark { font-size: 1.3rem; line-height: 1.6rem; font-weight: 700; width: 1.2rem; text-align: center; }
    .verdict .word { font-size: 1.15rem; font-weight: 600; }
    .verdict.good { border-color: var(--good); }
    .verdict.poor { border-color: var(--poor); }
    .verdict.open { border-color: var(--open); }
    .good .mark, .good .word { color: var(--good); }
    .poor .mark, .poor .word { color: var(--poor); }
    .open .mark, .open .word { color: var(--open); }
    .numbers { display: grid; grid-template-columns: repeat(auto-fill, minmax(11.5rem, 1fr)); gap: 1.3rem 1.5rem;
      margin: 1.9rem 0 0; }
    .numbers dt { font-size: .82rem; color: var(--soft); }
    .numbers dd { margin: 0; }
    .numbers .value { font-size: 1.35rem; line-height: 1.35; white-space: nowrap; }
    .numbers .note { font-size: .8rem; line-height: 1.35; color: var(--faint); }
    .warnings { margin-top: 1.8rem; border-left: 4px solid var(--poor); padding-left: 1rem; max-width: 48rem; }
    .warnings ul { margin: 0; padding-left: 1.1rem; }
    figure { margin: 0; min-width: 0; }
    figcaption, .caption { font-size: .85rem; line-height: 1.5; color: var(--soft); }
    figcaption { margin-top: .4rem; max-width: 44rem; }
    .caption { max-width: 48rem; margin-top: 1rem; }
    .pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 2.2rem 2.4rem; margin-top: 1.2rem; align-items: start; }
    .small-multiples { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: 1.3rem 1.4rem; }
    .small-multiples figcaption { margin: 0; font-size: .8rem; }
    svg.plot { display: block; width: 100%; height: auto; font-family: var(--sans); }
    svg text { fill: var(--ink); font-size: 12.5px; }
    svg .tick { fill: var(--soft); font-size: 11.5px; }
    svg .axis { fill: var(--soft); font-size: 12px; }
    svg .callout { font-size: 14px; font-weight: 600; paint-order: stroke; stroke: var(--ground); stroke-width: 5px; }
    svg .end { text-anchor: end; }
    svg .middle { text-anchor: middle; }
    svg .grid { stroke: var(--grid); stroke-width: 1; }
    svg .base { stroke: var(--faint); stroke-width: 1; }
    svg .line { fill: none; stroke: var(--accent); stroke-width: 1.8; stroke-linejoin: round; }
    svg .line.thin { stroke-width: 1.3; }
    svg .line.ink { stroke: var(--ink); stroke-width: 1.3; }
    svg .reference { fill: none; stroke: var(--faint); stroke-width: 1.2; stroke-dasharray: 2 4; stroke-linecap: round; }
    svg .whisker { fill: none; stroke-width: 1.5; stroke: var(--accent); opacity: .75; }
    svg .band { fill: var(--band); stroke: none; }
    svg .band.strong { fill: var(--accent); opacity: .6; }
    svg .bar { fill: var(--accent); opacity: .55; }
    svg .point { fill: var(--accent); opacity: .55; }
    svg .fill { fill: var(--accent); }
    svg .hit { fill: var(--accent); opacity: 0; }
    svg .hit:hover { opacity: 1; }
    svg .interval { fill: var(--ink); opacity: .75; }
    svg .median { fill: var(--ground); stroke: var(--ink); stroke-width: 1.5; }
    svg .contour { fill: var(--soft); fill-opacity: .1; stroke: var(--soft); stroke-width: .8; stroke-opacity: .55; }
    svg .waiting { fill: var(--rule); opacity: .7; }
    svg .busy { fill: var(--accent); }
    svg .b1 { opacity: .16; } svg .b2 { opacity: .28; } svg .b3 { opacity: .4; } svg .b4 { opacity: .52; }
    svg .b5 { opacity: .64; } svg .b6 { opacity: .76; } svg .b7 { opacity: .88; }
    svg .lost { fill: var(--ground); stroke: var(--poor); stroke-width: 2.5; }
    svg .line.c0, svg .whisker.c0 { stroke: var(--c0); } svg .fill.c0, svg .swatch.c0, svg .point.c0 { fill: var(--c0); }
    svg .line.c1, svg .whisker.c1 { stroke: var(--c1); } svg .fill.c1, svg .swatch.c1, svg .point.c1 { fill: var(--c1); }
    svg .line.c2, svg .whisker.c2 { stroke: var(--c2); } svg .fill.c2, svg .swatch.c2, svg .point.c2 { fill: var(--c2); }
    svg .line.c3, svg .whisker.c3 { stroke: var(--c3); } svg .fill.c3, svg .swatch.c3, svg .point.c3 { fill: var(--c3); }
    svg .line.c4, svg .whisker.c4 { stroke: var(--c4); } svg .fill.c4, svg .swatch.c4, svg .point.c4 { fill: var(--c4); }
    svg .line.c5, svg .whisker.c5 { stroke: var(--c5); } svg .fill.c5, svg .swatch.c5, svg .point.c5 { fill: var(--c5); }
    svg .line.c6, svg .whisker.c6 { stroke: var(--c6); } svg .fill.c6, svg .swatch.c6, svg .point.c6 { fill: var(--c6); }
    svg .line.c7, svg .whisker.c7 { stroke: var(--c7); } svg .fill.c7, svg .swatch.c7, svg .point.c7 { fill: var(--c7); }
    svg .line.cx { stroke: var(--cx); opacity: .5; } svg .fill.cx, svg .point.cx { fill: var(--cx); opacity: .7; }
    svg.strip { margin-top: .1rem; }
    .legend { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; padding: 0; margin: .4rem 0 0;
      font-size: .85rem; color: var(--soft); }
    .legend svg { margin-right: .4rem; }
    .scroll { overflow: auto; max-height: 30rem; margin: 1.6rem 0 0; border-top: 1px solid var(--rule);
      border-bottom: 1px solid var(--rule); }
    .scroll.flat { border: 0; max-height: none; margin: 0; }
    svg.timeline { min-width: 40rem; }
    table { border-collapse: collapse; font-size: .88rem; width: 100%; }
    caption { text-align: left; color: var(--soft); font-size: .85rem; padding: .5rem 0; }
    th, td { padding: .22rem .9rem; text-align: right; white-space: nowrap; }
    tr th:first-child { text-align: left; padding-left: 0; font-weight: 400; max-width: 22rem; overflow: hidden;
      text-overflow: ellipsis; }
    thead th { position: sticky; top: 0; background: var(--ground); font-weight: 600; color: var(--soft); }
    tbody tr { border-top: 1px solid var(--grid); }
    table + p, .scroll + .pair { margin-top: 2.2rem; }
    pre { background: var(--raised); padding: .8rem 1rem; overflow: auto; font: .82rem/1.5 var(--mono); margin: .6rem 0 1.4rem; }
    .spec { max-height: 30rem; }
    code { font: .82rem var(--mono); overflow-wrap: anywhere; }
    .digests { display: grid; gap: .35rem; margin: 0 0 1.8rem; }
    .digests div { display: grid; align-items: baseline; grid-template-columns: 13rem minmax(0, 1fr); gap: 0 1rem; }
    .digests dt { color: var(--soft); font-size: .88rem; }
    .digests dd { margin: 0; }
    footer { color: var(--faint); font-size: .85rem; padding-top: 2.5rem; padding-bottom: 2.5rem; }
    :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
    @media (max-width: 44rem) {
      main { padding-top: 1.5rem; }
      h1 { font-size: 1.5rem; }
      .pair { grid-template-columns: minmax(0, 1fr); }
      .numbers { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1.1rem 1rem; }
      .numbers .value { font-size: 1.15rem; white-space: normal; }
      .small-multiples { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1rem; }
      .small-multiples .tick { font-size: 17px; }
      .digests div { grid-template-columns: minmax(0, 1fr); }
      th, td { padding: .22rem .5rem; }
      svg text { font-size: 14.5px; }
      svg .tick { font-size: 13.5px; } svg .axis { font-size: 14px; }
    }
    @media print {
      @page { margin: 16mm 14mm; }
      body { font-size: 10.5pt; background: none; }
      main, footer { max-width: none; padding: 0; }
      nav { display: none; }
      section { margin-top: 1.6rem; padding-top: 1rem; }
      h2, h3, caption, .prose { break-after: avoid; }
      pre, code { font-size: 7.5pt; }
      figure, .verdict, .numbers div, tr { break-inside: avoid; }
      .scroll, .spec { max-height: none; overflow: visible; }
      .pair { gap: 1.4rem 1.6rem; grid-template-columns: repeat(2, minmax(0, 1fr)); }
      .small-multiples { grid-template-columns: repeat(3, minmax(0, 1fr)); }
      pre { white-space: pre-wrap; }
      svg.timeline { min-width: 0; }
      thead th { position: static; }
      * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
    }
    """
}
