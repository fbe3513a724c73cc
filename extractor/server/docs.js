"use strict";

Page.begin();
