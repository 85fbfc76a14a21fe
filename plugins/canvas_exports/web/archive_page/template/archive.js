"use strict";
// The frame that Airflow shows this page in lets no link lead out of it: Airflow's own document follows the link instead.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-airflow], .changes a");
  if (link === null || window.parent === window) return;
  event.preventDefault();
  const leading = window.parent.document.createElement("a");
  leading.href = link.href;
  window.parent.document.body.append(leading);
  leading.click();
  leading.remove();
});
