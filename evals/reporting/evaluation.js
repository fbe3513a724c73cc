// A run's page is written whole; what is left to do is to hide what is right.
"use strict";

(() => {
  const wrong = document.getElementById("wrong");
  const show = () => document.documentElement.classList.toggle("wrong-only", wrong.checked);
  wrong.addEventListener("change", show);
  Page.begin();
  show();
})();
