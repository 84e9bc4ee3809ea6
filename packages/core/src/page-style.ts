/** Style of the report page: light, dark by preference, plain black on white in print. */
export const PAGE_STYLE: string = `<style>
:root{--p:#fff;--c:#f5f7f9;--i:#1d2733;--s:#66717f;--r:#e1e6eb}
@media screen and (prefers-color-scheme:dark){:root{--p:#12171d;--c:#1b222a;--i:#e7ebf0;--s:#97a3b0;--r:#2c3641}}
*{box-sizing:border-box}body{margin:0;background:var(--p);color:var(--i);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1180px;margin:0 auto;padding:36px 28px 60px}header{margin-bottom:22px}h1{font-size:28px;line-height:1.2;margin:0 0 4px;letter-spacing:-.01em}
header p,.soft,figcaption{color:var(--s);margin:0}header p{overflow-wrap:anywhere}h2{font-size:16px;margin:34px 0 10px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin-bottom:26px}
.cards div{background:var(--c);border-radius:10px;padding:14px 16px;display:flex;flex-direction:column}
.cards span,.cards small{color:var(--s);font-size:13px}.cards b{font-size:25px;font-weight:600;line-height:1.3;font-variant-numeric:tabular-nums}
figure{margin:0}figure svg{display:block}figcaption{font-size:13px;margin-top:4px}
.pair{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:20px 44px;margin-top:26px}.pair h2{margin-top:8px}
.narrow{display:none}@media screen and (max-width:620px){main{padding:24px 14px 40px}.wide{display:none}.narrow{display:block}}
@media (max-width:820px){.pair{grid-template-columns:1fr}}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
td,th{padding:5px 14px 5px 0;text-align:left;border-bottom:1px solid var(--r);vertical-align:top}th{color:var(--s);font-weight:500;white-space:nowrap}
.facts td:last-child,.hits td:nth-child(n+5),.hits th:nth-child(n+5){text-align:right;padding-right:0}
.hits td:nth-child(n+5),.hits th:nth-child(n+5){padding-left:14px}.hits td{white-space:nowrap}
sup,sub{font-size:.72em;line-height:0}pre{background:var(--c);border-radius:10px;padding:14px 16px;overflow-x:auto;font-size:13px;white-space:pre-wrap;overflow-wrap:anywhere;margin:0 0 10px}
code{font-size:13px}ul{margin:0;padding-left:20px}
@media print{:root{--p:#fff;--c:#f5f7f9;--i:#000;--s:#444;--r:#ccc}main{max-width:none;padding:0}section,figure{break-inside:avoid}body{font-size:11px}}
</style>`;
