/// What the dashboard's style has besides the report's.
enum DashboardStyle {
  static let css: StaticString = """
    main { padding-top: 2rem; }
    header .top { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; align-items: baseline; justify-content: space-between; }
    .run { color: var(--faint); font: .8rem var(--mono); overflow-wrap: anywhere; }
    .verdict.calm { border-color: var(--accent); }
    .calm .mark, .calm .word { color: var(--accent); }
    .verdict { max-width: none; }
    .progress { margin: 1.5rem 0 0; }
    .progress svg { display: block; width: 100%; height: 10px; }
    .progress .track { fill: var(--grid); }
    .progress .done { fill: var(--accent); }
    .progress p { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; margin: .4rem 0 0; font-size: .9rem; color: var(--soft); }
    .numbers .value.long { white-space: normal; }
    .drawing { width: 100%; }
    svg.chart { display: block; width: 100%; font-family: var(--sans); touch-action: pan-y; }
    svg.chart .now { fill: var(--accent); }
    svg.chart .cursor { stroke: var(--faint); stroke-width: 1; }
    svg.chart .area { fill: var(--band); stroke: none; }
    figure .reading { min-height: 1.3em; font-size: .85rem; color: var(--soft); margin: .2rem 0 0; }
    td.bar svg { display: inline-block; width: 5rem; height: 8px; vertical-align: middle; margin-right: .5rem; }
    td.bar .track { fill: var(--grid); }
    td.bar .done { fill: var(--accent); }
    th .pid { color: var(--faint); }
    .tag { display: inline-block; border: 1px solid currentColor; border-radius: .7rem; padding: 0 .55rem; font-size: .78rem;
      line-height: 1.35rem; }
    .tag.computing { color: var(--accent); } .tag.idle, .tag.preparing { color: var(--soft); }
    .tag.slow { color: var(--open); } .tag.lost { color: var(--poor); } .tag.left { color: var(--soft); }
    tr.gone th, tr.gone td { color: var(--soft); }
    #lost { margin-top: 1.8rem; }
    #lost table { width: auto; }
    #lost td { text-align: left; }
    td.reason { text-align: left; white-space: normal; }
    .fleet { font-size: .95rem; color: var(--soft); margin: -.4rem 0 1rem; }
    .stale main .numbers, .stale main section { opacity: .62; }
    footer { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; padding-top: 2.2rem; }
    footer a { color: var(--soft); }
    [hidden] { display: none; }
    @media (max-width: 44rem) {
      .pair { gap: 1.6rem; }
      .workers thead { display: none; }
      .workers tbody tr { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .1rem 1rem; padding: .7rem 0; }
      .workers th, .workers td { padding: 0; text-align: left; white-space: normal; }
      .workers tr th:first-child { font-weight: 600; max-width: none; padding-bottom: .25rem; }
      .workers td { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: 0 .6rem; }
      .workers td::before { content: attr(data-label); color: var(--soft); font-size: .82rem; }
      .workers td.state { justify-content: flex-end; }
      .workers td.state::before { content: none; }
      .workers td.reason { grid-column: 1 / -1; }
      .workers td.reason::before { content: none; }
      .workers td.bar svg { width: 3.2rem; margin-right: .3rem; }
    }
    """
}
